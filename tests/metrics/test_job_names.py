"""Very many jobs are few labels."""

from jober.metrics import JobNames
from jober.metrics.job_names import OTHERS


def test_the_first_names_are_told_and_all_others_are_one() -> None:
    names = JobNames(most=2)
    told = [names.label(name) for name in ("a", "b", "c", "a", "d")]
    assert told == ["a", "b", OTHERS, "a", OTHERS]
