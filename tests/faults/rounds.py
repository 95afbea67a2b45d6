"""How often a fault is brought about, and what came of it.

    @pytest.mark.faults(count=50)
    def test_...(rounds: Rounds) -> None:
        for _ in rounds:
            ...
            rounds.recovered(seconds)
        rounds.judge(checker.settled())

`make test` goes through a tenth of the rounds, `make faults` through all, and prints a table.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

# Set to `all`, every round is gone through.
VARIABLE = "JOBER_FAULTS"


@dataclass
class Told:
    """A line of the table."""

    fault: str
    of: int
    rounds: int = 0
    violations: int = 0
    slowest_s: float | None = None
    ended: str = "not judged"


class Rounds:
    """`count` rounds of a fault, of `of` in all."""

    def __init__(self, fault: str, of: int) -> None:
        self.count = of if os.environ.get(VARIABLE) == "all" else max(1, of // 10)
        self.told = Told(fault=fault, of=of)

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            yield number
            self.told.rounds = number + 1

    def recovered(self, took_s: float) -> None:
        """After this round, all was well again in so many seconds."""
        self.told.slowest_s = max(took_s, self.told.slowest_s or 0.0)

    def judge(self, violations: Sequence[str]) -> None:
        """Fail where there is a violation, and tell all of them."""
        self.told.violations = len(violations)
        self.told.ended = "violated" if violations else "held"
        assert not violations, "\n".join(["violations:", *violations])

    def to_property(self) -> tuple[str, dict[str, object]]:
        """As it goes through pytest's reports."""
        return "fault", asdict(self.told)


def table(rows: Sequence[Told]) -> list[str]:
    """The table that `make faults` prints."""
    width = max((len(row.fault) for row in rows), default=5)
    lines = [f"{'fault':<{width}}  {'rounds':>9}  {'violations':>10}  slowest recovery"]
    for row in sorted(rows, key=lambda row: row.fault):
        slowest = "" if row.slowest_s is None else f"{row.slowest_s:.1f} s"
        judged = str(row.violations) if row.ended != "not judged" else "not judged"
        rounds = f"{row.rounds}/{row.of}"
        lines.append(f"{row.fault:<{width}}  {rounds:>9}  {judged:>10}  {slowest:>16}")
    return lines
