"""The fires of a schedule that are to come, with what a change of the clock does to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from jober.clock import from_ms
from jober.schedule import Schedule
from jober_web.pages.wall import Wall


@dataclass(frozen=True, slots=True, kw_only=True)
class FireLine:
    """One fire: on the wall of the schedule's zone, on that of whoever looks, where it is another,
    how far off, and what is to be known of it."""

    at_ms: int
    wall: str
    local: str
    when: str
    notes: tuple[str, ...]


def fire_lines(
    schedule: Schedule, fires_ms: Sequence[int], anchor_ms: int, wall: Wall
) -> tuple[FireLine, ...]:
    lines = []
    for fire in fires_ms:
        own, local = schedule.zone.aware(fire), wall.zone.aware(fire)
        same = own.utcoffset() == local.utcoffset()
        lines.append(
            FireLine(
                at_ms=fire,
                wall=f"{own:%a %Y-%m-%d %H:%M:%S %Z}",
                local="" if same else f"{local:%a %Y-%m-%d %H:%M:%S %Z}",
                when=wall.relative(fire),
                notes=schedule.notes(from_ms(fire), from_ms(anchor_ms)),
            )
        )
    return tuple(lines)
