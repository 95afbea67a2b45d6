"""What an agent is started with."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`drain_s`: how long runs may go on after SIGTERM before they are stopped too. `log_dir` is
    where whole logs are kept, for `log_keep_s` and up to `log_bytes` of them all. With
    `accept_pickle`, plain RQ jobs may be pickled: whoever may write to Redis may run code here."""

    redis: str
    host: str
    roles: frozenset[str]
    slots: int
    drain_s: float
    log_level: str
    log_dir: Path
    log_keep_s: float
    log_bytes: int
    accept_pickle: bool = False


def log_dir(given: str | None) -> Path:
    """The folder of whole logs: as given, else that of the service (systemd's StateDirectory),
    else /var/lib/jober/logs for root, and for others as the XDG base directories say."""
    if given:
        return Path(given).absolute()
    if service := os.environ.get("STATE_DIRECTORY"):
        return Path(service.split(":")[0], "logs")
    if os.geteuid() == 0:
        return Path("/var/lib/jober/logs")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state, "jober", "logs")
