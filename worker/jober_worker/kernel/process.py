"""One process, as the kernel tells of it."""

import os
from dataclasses import dataclass

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `started_ticks` is when, by the clock of `kernel.now_s`, rounded down."""

    pid: int
    state: str
    parent: int
    session: int
    started_ticks: int

    @property
    def started_s(self) -> float:
        return self.started_ticks / TICKS_PER_S

    @property
    def has_ended(self) -> bool:
        """It is a zombie: only its exit status is left of it."""
        return self.state == "Z"
