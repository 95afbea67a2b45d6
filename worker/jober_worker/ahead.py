"""How many runs an agent reserves beyond its free slots. Pure.

Some 50 ms of work, by what runs have taken lately: enough that no slot is idle while Redis is asked
for more, and little enough that nobody waits here for what another agent could begin. One that
takes long is believed at once, one that is quick little by little.

What is not tried again where the agent dies is lost with it, begun or not: of that, 5 ms of work is
enough.
"""

AHEAD_S = 0.05
AT_MOST = 500
AHEAD_ONCE_S = 0.005
AT_MOST_ONCE = 200
# One thread may have about so much of it at once.
AT_ONCE_S = 0.005
# What the newest run counts against those before.
QUICK, SLOW = 0.1, 0.5


class Ahead:
    """For an agent with so many slots; before anything is known, none is reserved."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean_s = AHEAD_S
        # What most take: one that a busy host has kept waiting counts little here.
        self._usual_s = AHEAD_S

    def took(self, seconds: float) -> None:
        """A run of the kind that is reserved has taken so long, or goes on for so long."""
        share = SLOW if seconds > self._mean_s else QUICK
        self._mean_s += share * (seconds - self._mean_s)
        self._usual_s += QUICK * (min(seconds, 2 * self._usual_s) - self._usual_s)

    @property
    def at_once(self) -> int:
        """How many one thread may have."""
        return int(AT_ONCE_S / max(self._usual_s, AT_ONCE_S / AT_MOST))

    @property
    def runs(self) -> int:
        """How many may be reserved."""
        return self._within(AHEAD_S, AT_MOST)

    @property
    def runs_once(self) -> int:
        """How many of those that are not tried again where the agent dies."""
        return self._within(AHEAD_ONCE_S, AT_MOST_ONCE)

    def _within(self, seconds: float, at_most: int) -> int:
        at_once = seconds / max(self._mean_s, seconds / at_most) - 1
        return max(0, min(at_most, int(self._slots * at_once)))
