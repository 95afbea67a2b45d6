"""Secrets by reference: `secret:file:/run/secrets/pass`, `secret:credential:pass`,
`secret:env:NAME`. What they name is read where a run executes, and stands nowhere else. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jober.errors import DefinitionError

# Where files of secrets are, unless the host says otherwise.
DEFAULT_FOLDERS = ("/run/secrets",)
PREFIX = "secret:"
FILE, CREDENTIAL, ENV = "file", "credential", "env"
EXAMPLES = '"secret:file:/run/secrets/pass", "secret:credential:pass" or "secret:env:NAME"'
_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


@dataclass(frozen=True, slots=True)
class SecretReference:
    """`kind` is file, with an absolute path as its name, credential (of systemd), or env."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.kind}:{self.name}"


def read_reference(value: str) -> SecretReference | None:
    """The reference that a value is; None where it is a plain value. Raises ValueError, which says
    what is wrong with one."""
    if not value.startswith(PREFIX):
        return None
    kind, _, name = value.removeprefix(PREFIX).partition(":")
    match kind:
        case "file" if name.startswith("/") and "\0" not in name:
            return SecretReference(kind, name)
        case "file":
            raise ValueError("the path of a secret is absolute")
        case "credential" if _CREDENTIAL.fullmatch(name):
            return SecretReference(kind, name)
        case "env" if _ENV.fullmatch(name) and not name.startswith("JOBER_"):
            return SecretReference(kind, name)
        case "credential" | "env":
            raise ValueError(f"'{name[:40]}' is no name of one")
    raise ValueError(f"there are no secrets of a kind '{kind[:40]}'")


def check_folders(folders: Sequence[str]) -> tuple[str, ...]:
    """The folders of `--secrets`. Raises DefinitionError."""
    for folder in folders:
        if not folder.startswith("/"):
            raise DefinitionError(
                f"'{folder}' is no absolute path", value=folder, mend="such as /run/secrets"
            )
    return tuple(folders)
