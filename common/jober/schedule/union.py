"""Any of several plans: a fire of one is a fire of the union, and once where they meet."""

from dataclasses import dataclass

from jober.schedule.plan import Plan, Refusal, count, in_order


@dataclass(frozen=True, slots=True)
class Union:
    """The union of `plans`, of which there is at least one."""

    plans: tuple[Plan, ...]

    @property
    def zoned(self) -> bool:
        return any(plan.zoned for plan in self.plans)

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        found = [plan.next_ms(moment_ms, anchor_ms) for plan in self.plans]
        return min((fire for fire in found if fire is not None), default=None)

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        anchor = start_ms if anchor_ms is None else anchor_ms
        found = [plan.last_ms(start_ms, end_ms, anchor) for plan in self.plans]
        return max((fire for fire in found if fire is not None), default=None)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return count(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms, limit)

    def describe(self) -> str:
        return "; and ".join(plan.describe() for plan in self.plans)

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        told: list[str] = []
        own = fire_ms if anchor_ms is None else anchor_ms
        for plan in self.plans:
            if plan.next_ms(fire_ms - 1, own) == fire_ms:
                told += [note for note in plan.notes(fire_ms, anchor_ms) if note not in told]
        return tuple(told)

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return in_order(
            (
                refusal
                for plan in self.plans
                for refusal in plan.refusals_ms(start_ms, end_ms, anchor, limit)
                if self.next_ms(refusal.at_ms - 1, anchor) != refusal.at_ms
            ),
            limit,
        )
