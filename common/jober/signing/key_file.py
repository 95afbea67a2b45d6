"""Files of keys: written for their owner alone, and read where nobody else could have changed
them, or, where one can sign by them, have read them.

A file has a key a line; empty lines and those that begin with `#` are passed over.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jober.signing.key import Key, read_key
from jober.signing_errors import SigningError

# A longer file is none of keys.
_BYTES_AT_MOST = 256 * 1024
_FILES_AT_MOST = 1000


def write_key(path: Path, key: Key) -> None:
    """Make a file of it, which must not be there. Raises SigningError."""
    mode = 0o600 if key.can_sign else 0o644
    text = f"# A key of jober: {'keep it secret' if key.can_sign else 'public'}.\n{key.line()}\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise SigningError(f"{path} is there already (name another file)") from None
    except OSError as error:
        raise SigningError(f"{path} cannot be written: {error.strerror}") from None


def read_signer(path: str) -> Key:
    """The key that signs. Raises SigningError."""
    keys = list(_keys(Path(path)))
    if len(keys) != 1:
        raise SigningError(f"{path} has {len(keys)} keys (one signs: name a file of one key)")
    if not keys[0].can_sign:
        raise SigningError(f"{path} has the public half of key {keys[0].id}, which signs nothing")
    return keys[0]


def read_trusted(path: str) -> list[Key]:
    """The keys of a file, or of all files `*.key` and `*.pub` of a folder. Raises SigningError."""
    place = Path(path)
    if not place.is_dir():
        return list(_keys(place))
    _check(place, secret=False)
    files = sorted(one for one in place.iterdir() if one.suffix in (".key", ".pub"))
    if not files:
        raise SigningError(f"{path} has no keys (files named *.pub, or *.key of HMAC)")
    if len(files) > _FILES_AT_MOST:
        raise SigningError(f"{path} has {len(files)} files of keys, more than {_FILES_AT_MOST}")
    return [key for file in files for key in _keys(file)]


def _keys(path: Path) -> Iterator[Key]:
    try:
        with path.open("rb") as file:
            told = file.read(_BYTES_AT_MOST + 1)
        text = told.decode("ascii")
    except OSError as error:
        raise SigningError(f"the key {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise SigningError(f"{path} is no file of keys") from None
    if len(told) > _BYTES_AT_MOST:
        raise SigningError(f"{path} is no file of keys: it has more than {_BYTES_AT_MOST} bytes")
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                keys.append(read_key(line))
            except SigningError as error:
                raise SigningError(f"{path}:{number}: {error}") from None
    _check(path, secret=any(key.can_sign for key in keys))
    yield from keys


def _check(path: Path, *, secret: bool) -> None:
    """Raises SigningError where others could change it, or read what is secret."""
    try:
        told = path.stat()
    except OSError as error:
        raise SigningError(f"{path} cannot be looked at: {error.strerror}") from None
    mode = stat.S_IMODE(told.st_mode)
    if told.st_uid not in (0, os.geteuid()):
        raise SigningError(f"{path} belongs to another user (chown it to root, or to this one)")
    if mode & 0o022:
        raise SigningError(f"{path} can be written by others (chmod go-w {path})")
    if secret and mode & 0o007:
        raise SigningError(f"{path} can be read by everybody (chmod o= {path})")
