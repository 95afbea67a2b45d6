"""Many runs under one limit, over agents that are killed: no slot is lost, none is doubled."""

from tests.fleet import Fleet
from tests.worker.soak import LIMIT, soak


def test_of_many_runs_each_ends_and_no_slot_outlives_its_run(fleet: Fleet) -> None:
    done = soak(fleet, 400, patience_s=90)
    assert done.cut_off <= 2 * LIMIT, "those that two agents had when they were killed"
    assert done.twice == 0
    assert done.most_used <= LIMIT
    assert 2 <= done.most_at_once <= LIMIT
    assert done.left == {}
