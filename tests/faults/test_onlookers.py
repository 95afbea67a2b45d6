"""RQ's own tools look on while agents are killed: what they clean up is nothing of ours."""

import os
import signal

import pytest

from tests.faults.armed_fleet import ROLE, ArmedFleet
from tests.faults.busy import busy, go_on
from tests.faults.onlookers import Onlookers
from tests.faults.rounds import Rounds
from tests.faults.work import function
from tests.worker.agents import agent_of


@pytest.mark.faults(count=20)
def test_rq_info_and_rq_dashboard_look_on_while_agents_are_killed(
    armed_fleet: ArmedFleet, rounds: Rounds
) -> None:
    fleet = armed_fleet
    with Onlookers(fleet.url, fleet.folder, ROLE) as onlookers:
        third = fleet.armed_agent("killed", roles="doomed")
        fleet.add("doomed", roles=["doomed"], every=1, overlap="queue", **function(0.5))
        checker = busy(fleet)
        checker.expect("doomed")
        for _ in rounds:
            go_on(fleet)
            os.kill(agent_of(third), signal.SIGKILL)
            rounds.recovered(go_on(fleet))
            onlookers.look_again()
        violations = checker.settled()
    assert onlookers.problems == []
    rounds.judge(violations)
