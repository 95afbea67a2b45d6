"""Runs that come at a steady rate, with followers: each runs once, and no frame is missed."""

from tests.fleet import Fleet
from tests.worker.load import load


def test_of_a_steady_load_nothing_is_lost_or_doubled(fleet: Fleet) -> None:
    done = load(fleet, seconds=3, rate=200, followers=5, patience_s=60)
    assert done.runs == 600
    assert (done.ended, done.never, done.twice) == (600, 0, 0)
    assert done.frames > 5
    assert done.gaps == 0
    assert done.left == {}
