"""How moments are told to whoever looks at a page: in their zone, and by how far off they are."""

from dataclasses import dataclass

from jober.clock import iso
from jober.errors import ScheduleError
from jober.schedule.zone import Zone, zone
from jober.words import moment, relative


@dataclass(frozen=True, slots=True)
class Wall:
    """The moment at which a page is seen, and the zone that it tells moments in."""

    now_ms: int
    zone: Zone

    def short(self, moment_ms: int) -> str:
        """As short as it is clear: `08:01:23` today, `Sat 08:01` within six days."""
        return moment(moment_ms, self.now_ms, self.zone.aware(moment_ms).tzinfo)

    def relative(self, moment_ms: int) -> str:
        """`in 4 s`, `3 min ago`."""
        return relative(moment_ms, self.now_ms)

    def full(self, moment_ms: int) -> str:
        """`2026-11-21 08:01:23 CET`, for who points at a moment."""
        return f"{self.zone.aware(moment_ms):%Y-%m-%d %H:%M:%S %Z}"

    def clock(self, moment_ms: int) -> str:
        """`08:01:23.456`, for the lines of a log."""
        return f"{self.zone.aware(moment_ms):%H:%M:%S}.{moment_ms % 1000:03d}"

    def iso(self, moment_ms: int) -> str:
        """For programs."""
        return iso(moment_ms) or ""


def read_zone(name: str | None) -> Zone:
    """The zone that a browser has told; UTC where it told none that is known."""
    try:
        return zone(name or "UTC")
    except (ScheduleError, ValueError):
        return zone("UTC")
