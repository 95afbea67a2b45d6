"""What an agent is started with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`drain_s`: how long runs may go on after SIGTERM before they are stopped too."""

    redis: str
    host: str
    roles: frozenset[str]
    slots: int
    drain_s: float
    log_level: str
