"""`jober key`: keys that sign, and what of them is given to agents."""

from pathlib import Path
from typing import Annotated

from rich.text import Text

from jober.cli import terminal
from jober.cli.options import Argument, JsonOption, Option
from jober.cli.table import Column, print_table
from jober.errors import JoberError
from jober.signing import PURPOSES, Key, new_key
from jober.signing.key_file import read_signer, read_trusted, write_key

ForOption = Annotated[
    str,
    Option(
        "--for",
        metavar="WHAT",
        help="What it may say: define (what runs), fire (that it is to run now), or both with a "
        "comma between.",
    ),
]


def new(
    file: Annotated[Path, Argument(metavar="FILE", help="Where to write it.")],
    type: Annotated[
        str, Option("--type", metavar="TYPE", help="ed25519, or hmac, which is one secret for all.")
    ] = "ed25519",
    purposes: ForOption = "define,fire",
) -> None:
    """Make a key that signs definitions, runs, or both; only its owner can read the file.

    Who defines jobs and who runs them (JOBER_SIGN_KEY) has such a file; agents get what
    `jober key public` prints of it. Give schedulers a key that may fire alone.

    Examples:
      jober key new /etc/jober/ops.key
      jober key new --for fire /etc/jober/scheduler.key
      jober key new --type hmac /etc/jober/fleet.key
    """
    key = new_key(type, _purposes(purposes))
    write_key(file, key)
    terminal.say(f"key {key.id} ({key.kind}, {_told(key)}) is in {file}")


def public(
    file: Annotated[Path, Argument(metavar="FILE", help="A file of one key.")],
    purposes: ForOption = "define,fire",
) -> None:
    """Print what agents are given of a key that they are to trust: its public half.

    With --for, it is trusted with less than it may say itself.

    Examples:
      jober key public /etc/jober/ops.key > ops.pub
      jober key public --for fire /etc/jober/scheduler.key > scheduler.pub
    """
    terminal.say(read_signer(str(file)).public(_purposes(purposes)).line())


def list_keys(
    path: Annotated[
        Path, Argument(metavar="PATH", help="A file of keys, or a folder of such files.")
    ],
    json: JsonOption = False,
) -> None:
    """List the keys of a file or a folder, without what is secret of them.

    It fails where an agent or a scheduler would: for a key that others can read, or change.

    Examples:
      jober key list /etc/jober/trusted.pub
    """
    keys = read_trusted(str(path))
    if json:
        terminal.print_json([_dict(key) for key in keys])
        return
    columns = [Column(title=title) for title in ("KEY", "TYPE", "HALF", "MAY")]
    rows: list[list[str | Text]] = [
        [Text(key.id, style="bold"), key.kind, key.half, _told(key)] for key in keys
    ]
    print_table(terminal.stdout(), columns, rows)


def _purposes(told: str) -> list[str]:
    purposes = [word.strip() for word in told.split(",") if word.strip()]
    for purpose in purposes:
        if purpose not in PURPOSES:
            raise JoberError(f"a key is for {' or '.join(PURPOSES)}, or both; not '{purpose}'")
    return purposes


def _told(key: Key) -> str:
    return ", ".join(purpose for purpose in PURPOSES if key.may(purpose))


def _dict(key: Key) -> dict[str, object]:
    return {
        "key": key.id,
        "type": key.kind,
        "half": key.half,
        "may": [purpose for purpose in PURPOSES if key.may(purpose)],
    }
