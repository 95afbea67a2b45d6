"""Files of NAME=value lines (`env_file`), as systemd, Docker and dotenv read them in common.

A line is `NAME=value`, with `export` before it or not; empty lines and those that begin with `#`
are passed over. A value in single quotes is taken as it is, one in double quotes with \\n, \\t,
\\" and \\\\; one without quotes ends before ` #`. Nothing is expanded.
"""

import re
from pathlib import Path

from jober.errors import JoberError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)\Z", re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'\s*(?:#.*)?\Z")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?\Z')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class EnvFileUnreadable(JoberError):
    """The file is not there, may not be read, or has a line that is none."""


def read_env_file(path: str, cwd: str | None = None) -> dict[str, str]:
    """The variables of a file on this host; a relative path is found from `cwd`.

    Raises EnvFileUnreadable, which names the file, and the line where one is wrong.
    """
    try:
        text = Path(cwd or "", path).read_bytes().decode()
    except UnicodeDecodeError as error:
        raise EnvFileUnreadable(f"env_file {path} is not UTF-8: {error.reason}") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise EnvFileUnreadable(f"env_file {path} cannot be read on this host: {why}") from None
    return parse_env(text, path)


def parse_env(text: str, path: str) -> dict[str, str]:
    """The variables of a text; `path` is for the error. Raises EnvFileUnreadable.

    >>> parse_env("A=1\\nexport B='two words' # told\\n", "x.env")
    {'A': '1', 'B': 'two words'}
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        pair = _LINE.match(line)
        value = _value(pair[2]) if pair else None
        if pair is None or value is None or "\0" in value:
            # Not the line itself: it may hold a password.
            why = "its quotes do not end" if pair and value is None else "it is not NAME=value"
            raise EnvFileUnreadable(f"env_file {path}, line {number}: {why}")
        found[pair[1]] = value
    return found


def _value(raw: str) -> str | None:
    if raw.startswith("'"):
        single = _SINGLE.match(raw)
        return single[1] if single else None
    if raw.startswith('"'):
        double = _DOUBLE.match(raw)
        if not double:
            return None
        return re.sub(r"\\(.)", lambda escaped: _ESCAPES.get(escaped[1], escaped[1]), double[1])
    return re.split(r"\s#|\A#", raw, maxsplit=1)[0].rstrip()
