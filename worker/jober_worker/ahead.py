"""How many runs an agent reserves beyond its free slots. Pure.

Some 50 ms of work, by what runs have taken lately: enough that no slot is idle while Redis is asked
for more, and little enough that nobody waits here for what another agent could begin. One that
takes long is believed at once, one that is quick little by little.

What is not tried again where its host dies is lost with it, begun or not: of that, fewer are
enough.
"""

AHEAD_S = 0.05
AT_MOST = 500
AT_MOST_ONCE = 200
# One thread may have about so much of it at once.
AT_ONCE_S = 0.005
SHORTEST_S = AT_ONCE_S / AT_MOST
# What the newest run counts against those before.
QUICK, SLOW = 0.1, 0.5


class Ahead:
    """For an agent with so many slots; before anything is known, none is reserved."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._mean_s = AHEAD_S
        # What most take, once any is known: one that a busy host has kept waiting counts little.
        self.usual_s: float | None = None

    def took(self, seconds: float) -> None:
        """A run of the kind that is reserved has taken so long, or goes on for so long."""
        share = SLOW if seconds > self._mean_s else QUICK
        self._mean_s += share * (seconds - self._mean_s)
        if self.usual_s is None:
            self.usual_s = seconds
        else:
            most = 2 * max(self.usual_s, SHORTEST_S)
            self.usual_s += QUICK * (min(seconds, most) - self.usual_s)

    @property
    def at_once(self) -> int:
        """How many one thread may have."""
        if self.usual_s is None:
            return 0
        return int(AT_ONCE_S / max(self.usual_s, SHORTEST_S))

    @property
    def runs(self) -> int:
        """How many may be reserved."""
        at_once = AHEAD_S / max(self._mean_s, AHEAD_S / AT_MOST) - 1
        return max(0, min(AT_MOST, int(self._slots * at_once)))

    @property
    def runs_once(self) -> int:
        """How many of those that are not tried again where the agent dies."""
        return min(AT_MOST_ONCE, self.runs)
