"""Where a daemon listens: `HOST:PORT`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jober.errors import DefinitionError, JoberError

if TYPE_CHECKING:
    from socket import socket

# The port that exporters of metrics take by custom.
METRICS_EXAMPLE = "127.0.0.1:9464"
# So many connections may wait to be taken.
_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Bind:
    """Where it listens: a `host` and a `port` (0 for one that is free)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def listen(self, option: str) -> "socket":
        """A socket that listens there. Raises JoberError, which names the option."""
        # Loaded where it is needed: the guardian of a worker stays small.
        import socket

        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG)
        except OSError as error:
            raise JoberError(
                f"it cannot listen at {self}: {error.strerror or error} (see --{option})"
            ) from None


def read_bind(text: str, example: str) -> Bind:
    """`HOST:PORT`, `[::1]:PORT`, or a port alone, of this host only. Raises DefinitionError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        port = ""
    if not (port.isascii() and port.isdecimal() and int(port) < 65536):
        own = example.rpartition(":")[2]
        raise DefinitionError(
            f"'{text:.60}' is no place to listen at",
            field="bind",
            value=text,
            mend=f"as {example}, [::1]:{own}, or 0.0.0.0:{own} for all addresses",
        )
    return Bind(host or "127.0.0.1", int(port))
