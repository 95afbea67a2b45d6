"""The newest events of the fleet, for all who follow them."""

from collections import deque
from dataclasses import dataclass

from jober.client.happenings import place
from jober.event import Event
from jober_web.stream.bell import Bell

KEPT = 2_000


@dataclass(frozen=True, slots=True)
class _Kept:
    place: tuple[int, int]
    event: Event


class EventLog:
    """All events after the one with the id `since` that have come so far, but for those that are
    older than the newest 2,000; and whether Redis is away. For the event loop alone."""

    def __init__(self, since: str) -> None:
        self.bell = Bell()
        self.is_away = False
        self._since = place(since)
        self._kept: deque[_Kept] = deque()

    def add(self, event: Event) -> None:
        """Take the next one; what is there already, or older, is passed over."""
        last = self._kept[-1].place if self._kept else self._since
        if place(event.id) <= last:
            return
        if len(self._kept) >= KEPT:
            self._since = self._kept.popleft().place
        self._kept.append(_Kept(place(event.id), event))
        self.bell.ring()

    def set_away(self, is_away: bool) -> None:
        """Redis is away, or is there again."""
        self.is_away = is_away
        self.bell.ring()

    def after(self, id: str, limit: int) -> list[Event] | None:
        """The next events after that one; None where some of them are kept no more."""
        wanted = place(id)
        if wanted < self._since:
            return None
        found: list[Event] = []
        # From the newest back: who follows is near the end.
        for kept in reversed(self._kept):
            if kept.place <= wanted:
                break
            found.append(kept.event)
        return found[::-1][:limit]
