"""How the web part serves: values that `jober-web` reads from its arguments."""

from dataclasses import dataclass, field

from jober.errors import DefinitionError
from jober_web.access.settings import AccessSettings

DEFAULT_BIND = "127.0.0.1:8900"


@dataclass(frozen=True, slots=True)
class Bind:
    """Where it listens: a `host` and a `port` (0 for one that is free)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the application serves.

    `root_path` is the path that a proxy takes away before it asks us, such as `/jober`.
    Default: none. `access` says how it is found out who asks.
    """

    root_path: str = ""
    access: AccessSettings = field(default_factory=AccessSettings)


def read_bind(text: str) -> Bind:
    """`HOST:PORT`, `[::1]:PORT`, or a port alone, of this host only. Raises DefinitionError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        port = ""
    if not (port.isascii() and port.isdecimal() and int(port) < 65536):
        raise DefinitionError(
            f"'{text:.60}' is no place to listen at",
            field="bind",
            value=text,
            mend=f"as {DEFAULT_BIND}, [::1]:8900, or 0.0.0.0:8900 for all addresses",
        )
    return Bind(host or "127.0.0.1", int(port))
