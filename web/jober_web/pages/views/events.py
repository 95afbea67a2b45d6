"""What has happened, as lines of a table."""

from dataclasses import dataclass
from datetime import datetime

from jober.clock import to_ms
from jober.event import Event
from jober_web.pages.wall import Wall

# What a line has a place of its own for.
_ELSEWHERE = ("job", "run", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event, and what else it tells, in words."""

    event: Event
    told: str


def event_line(event: Event, wall: Wall) -> EventLine:
    facts = [
        f"{name.removesuffix('_at').replace('_', ' ')} {_value(name, value, wall)}"
        for name, value in event.facts.items()
        if name not in _ELSEWHERE
    ]
    return EventLine(event=event, told=" · ".join(facts))


def _value(name: str, value: str, wall: Wall) -> str:
    """A moment as others on the page are told; all else as it is."""
    if name.endswith("_at"):
        try:
            return wall.short(to_ms(datetime.fromisoformat(value)))
        except ValueError:
            return value
    return value
