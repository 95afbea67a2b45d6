"""One moment: the plan of a `date`."""

from dataclasses import dataclass

from jober.schedule.plan import Refusal, count, newest
from jober.schedule.zone import Zone, wall_date, wall_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Fires at each of `fires_ms`: one moment, or two where a repeated time runs twice.

    `text` is the moment on the wall; `note` what a change of offset did to it, or nothing.
    """

    text: str
    zone: Zone
    fires_ms: tuple[int, ...]
    note: str = ""

    @property
    def zoned(self) -> bool:
        return True

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        for fire in self.fires_ms:
            if fire > moment_ms:
                return fire
        return None

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        return newest(self.next_ms, start_ms, end_ms)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        return count(self.next_ms, start_ms, end_ms, limit)

    def describe(self) -> str:
        return f"once, at {self.text}"

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        return []

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        if self.note:
            return (self.note,)
        utc = fire_ms // 1000
        wall = self.zone.wall(utc)
        passes = self.zone.passes(wall)
        if len(passes) < 2:
            return ()
        which = "first" if utc == passes[0] else "second"
        return (f"{wall_text(wall)} occurs twice on {wall_date(wall)}: the {which}",)
