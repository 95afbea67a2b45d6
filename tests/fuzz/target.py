"""A target of the fuzz: cases of one kind, and what must hold for each of them whatever it is."""

import re
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

Check = Callable[[Any], None]
# Nothing that is fuzzed takes a second; what takes so long goes on for ever.
STUCK_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`open` makes what the cases need, in a folder of its own, and gives the check of a case:
    whatever that raises is a defect. `cases` says how many `make fuzz` counts, and `few` how many
    the tests do. Where a `batch` of more than one is tried at once, a case is a list of so many."""

    name: str
    cases: int
    few: int
    given: "st.SearchStrategy[Any]"
    open: Callable[[Path], AbstractContextManager[Check]]
    batch: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a target: how many cases in how many seconds, and the defect, if one was found:
    its smallest case, and where it broke."""

    name: str
    cases: int
    seconds: float
    defect: str | None = None


class Stuck(BaseException):
    """A case goes on and on. No exception of the sort that somebody on the way would catch."""


def strain(target: Target, cases: int, folder: Path, kept: Path | None = None) -> Row:
    """Try so many cases of a target. The case of a defect is made as small as may be; with `kept`,
    it is written there, and tried first the next time. Without, the cases are always the same."""
    counted, last, defect = 0, None, None
    started = time.monotonic()
    with target.open(folder) as check, _alarm():

        @settings(
            max_examples=max(1, cases // target.batch),
            deadline=None,
            database=DirectoryBasedExampleDatabase(kept / "examples") if kept else None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            derandomize=kept is None,
            # The check of a batch names what is wrong in it, and takes too long to be made smaller.
            phases=[one for one in Phase if target.batch == 1 or one is not Phase.shrink],
        )
        @given(target.given)
        def one(case: Any) -> None:
            nonlocal counted, last
            counted, last = counted + (len(case) if target.batch > 1 else 1), case
            signal.alarm(STUCK_S)
            check(case)

        while counted < cases and defect is None:
            try:
                one()
            except (Exception, Stuck):
                # What hypothesis tries last is the smallest that it has found.
                where = re.sub(
                    r"Failing test case: one\(.*?\n\)", "", traceback.format_exc(), flags=re.DOTALL
                )
                defect = f"{last!r}\n\n{where}"
            if kept is None:
                break
    if defect and kept:
        kept.mkdir(parents=True, exist_ok=True)
        (kept / f"{target.name.replace(' ', '-')}.txt").write_text(
            defect, "utf-8", errors="backslashreplace"
        )
    return Row(name=target.name, cases=counted, seconds=time.monotonic() - started, defect=defect)


@contextmanager
def _alarm() -> Iterator[None]:
    def stuck(number: int, frame: FrameType | None) -> None:
        raise Stuck(f"a case goes on for {STUCK_S} s")

    before = signal.signal(signal.SIGALRM, stuck)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
