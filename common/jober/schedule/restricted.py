"""A plan of which only the fires in given hours, and not on excluded days, are left."""

from dataclasses import dataclass
from functools import partial

from jober.schedule.hours import DAY_MS
from jober.schedule.plan import Plan, Refusal, count, in_order, newest
from jober.schedule.restriction import Restriction, next_in, until
from jober.schedule.zone import wall_date, wall_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted:
    """The fires of `plan` that the restriction allows; the others are not made."""

    plan: Plan
    restriction: Restriction

    @property
    def zoned(self) -> bool:
        return True

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        anchor = moment_ms if anchor_ms is None else anchor_ms
        fires = partial(self.plan.next_ms, anchor_ms=anchor)
        return next_in(fires, self.restriction.allowed_from, moment_ms)

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        anchor = start_ms if anchor_ms is None else anchor_ms
        fires = until(partial(self.plan.next_ms, anchor_ms=anchor), end_ms)
        allowed_from = self.restriction.allowed_from
        return newest(lambda moment: next_in(fires, allowed_from, moment), start_ms, end_ms)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return count(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms, limit)

    def describe(self) -> str:
        return f"{self.plan.describe()}{restriction_words(self.restriction)}"

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        return self.plan.notes(fire_ms, anchor_ms)

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        anchor = start_ms if anchor_ms is None else anchor_ms
        found = self.plan.refusals_ms(start_ms, end_ms, anchor, limit)
        for fire in refused(self.plan, self.restriction, start_ms, end_ms, anchor, limit):
            found.append(Refusal(fire, refusal_reason(self.restriction, fire)))
        return in_order(found, limit)


def refused(
    plan: Plan, restriction: Restriction, start_ms: int, end_ms: int, anchor_ms: int, limit: int
) -> list[int]:
    """The fires of a plan with start < fire <= end that are not allowed; at most `limit`."""
    fires = until(partial(plan.next_ms, anchor_ms=anchor_ms), end_ms)
    found: list[int] = []
    fire = next_in(fires, restriction.refused_from, start_ms)
    while fire is not None and len(found) < limit:
        found.append(fire)
        fire = next_in(fires, restriction.refused_from, fire)
    return found


def refusal_reason(restriction: Restriction, fire_ms: int) -> str:
    """Why a fire that is not allowed is not: `holidays, sat`, or `not in 08:00-18:00`."""
    day, clock = divmod(restriction.wall_ms(fire_ms), DAY_MS)
    if not restriction.hours.holds(clock):
        return f"not in {restriction.hours.text}"
    return restriction.days.reason(day)


def restriction_words(restriction: Restriction) -> str:
    """`, only 08:00-18:00, not on holidays, sat`."""
    hours = f", only {restriction.hours.text}" if restriction.hours.text else ""
    days = restriction.days.words()
    return f"{hours}, not on {days}" if days else hours


def stamp(wall_ms: int) -> str:
    """`2026-12-25 03:00`."""
    return f"{wall_date(wall_ms // 1000)} {wall_text(wall_ms // 1000)}"
