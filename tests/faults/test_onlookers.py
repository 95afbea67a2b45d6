"""RQ's own tools look on while things go wrong: what they clean up is nothing of ours."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.faults.armed_fleet import LEASE_S, ROLE, ArmedFleet, freeze
from tests.faults.busy import busy, go_on
from tests.faults.onlookers import Onlookers
from tests.faults.rounds import Rounds
from tests.faults.work import function
from tests.waiting import wait_until
from tests.worker.agents import agent_of


def kill_agent(fleet: ArmedFleet, doomed: "subprocess.Popen[bytes]") -> None:
    os.kill(agent_of(doomed), signal.SIGKILL)


def stop_agent(fleet: ArmedFleet, doomed: "subprocess.Popen[bytes]") -> None:
    """For twice its lease, with the guardian, which would kill it: RQ sees runs that are overdue in
    its registry of what is started."""
    frozen = [doomed.pid, agent_of(doomed)]
    for pid in frozen:
        freeze(pid)
    until = time.monotonic() + 2 * LEASE_S
    wait_until(lambda: time.monotonic() > until)
    for pid in reversed(frozen):
        os.kill(pid, signal.SIGCONT)


def kill_leader(fleet: ArmedFleet, doomed: "subprocess.Popen[bytes]") -> None:
    leader = fleet.leading()
    leader.kill()
    leader.wait()
    fleet.scheduler()


@pytest.mark.faults(count=20)
@pytest.mark.parametrize("fault", [kill_agent, stop_agent, kill_leader])
def test_rq_info_and_rq_dashboard_look_on(
    armed_fleet: ArmedFleet,
    rounds: Rounds,
    fault: Callable[[ArmedFleet, "subprocess.Popen[bytes]"], None],
) -> None:
    fleet = armed_fleet
    with Onlookers(fleet.url, fleet.folder, ROLE) as onlookers:
        doomed = fleet.armed_agent("doomed", roles="doomed")
        fleet.add("doomed", roles=["doomed"], every=1, overlap="queue", **function(0.5))
        checker = busy(fleet)
        checker.expect("doomed")
        for _ in rounds:
            go_on(fleet)
            fault(fleet, doomed)
            rounds.recovered(go_on(fleet))
            onlookers.look_again()
        violations = checker.settled()
    assert onlookers.problems == []
    rounds.judge(violations)
