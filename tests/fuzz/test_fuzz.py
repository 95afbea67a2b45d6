"""Bad input of every kind: a share of what `make fuzz` tries, always the same, on each change."""

from pathlib import Path

import pytest

from tests.fuzz.__main__ import AT_LEAST
from tests.fuzz.target import Target, strain
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_comes_is_taken_or_refused_in_words(target: Target, tmp_path: Path) -> None:
    row = strain(target, target.few, tmp_path)
    assert row.defect is None, row.defect
    assert row.cases >= target.few / 4


def test_the_whole_of_it_is_as_many_cases_as_are_promised() -> None:
    assert sum(target.cases for target in TARGETS) >= AT_LEAST
