"""Schedulers and agents die in the middle of workflows: no run is forgotten, or made twice."""

import signal
import time
from collections import Counter
from functools import partial

import pytest

from jober.failpoint import FAILPOINTS
from jober.run import Run
from jober.store import keys
from tests.faults.armed_fleet import ArmedFleet
from tests.faults.rounds import Rounds
from tests.faults.work import command
from tests.waiting import wait_until

PATIENCE_S = 90.0
POINTS = [name for name in FAILPOINTS if name.startswith("follower.")]
# What was lost with its agent is done again.
AGAIN = {"retries": 20, "retry_on": ["lost", "failed"], "retry_delay": 0, "overlap": "allow"}
EACH_SECOND = {"cron": "* * * * * *", "catch_up": "all"}
JOBS = ("first", "second", "third")


@pytest.fixture
def busy_fleet(armed_fleet: ArmedFleet) -> ArmedFleet:
    """Each second a workflow of three jobs begins; one of two agents dies again and again."""
    armed_fleet.armed_agent("host1")
    armed_fleet.armed_agent("host2", "agent.before_finish=kill@5")
    armed_fleet.add("first", **command(0.2), **AGAIN, **EACH_SECOND)
    armed_fleet.add("third", **command(0.05), **AGAIN)
    armed_fleet.add(
        "second", **command(0.2), **AGAIN, **EACH_SECOND, needs=["first"], on_success=["third"]
    )
    return armed_fleet


@pytest.mark.faults(count=20)
@pytest.mark.parametrize("point", POINTS)
def test_a_scheduler_and_an_agent_are_killed_in_the_middle_of_workflows_at(
    point: str, busy_fleet: ArmedFleet, rounds: Rounds
) -> None:
    fleet, heir = busy_fleet, None
    for _ in rounds:
        victim = fleet.armed_scheduler(f"{point}=kill@4")
        if heir is not None:
            heir.terminate()
            assert heir.wait(PATIENCE_S) == 0
        assert victim.wait(PATIENCE_S) == -signal.SIGKILL
        died_ms, died_s = fleet.now_ms(), time.monotonic()
        heir = fleet.armed_scheduler()
        wait_until(partial(has_gone_on, fleet, died_ms), PATIENCE_S, "workflows have gone on")
        rounds.recovered(time.monotonic() - died_s)
    wait_until(lambda: fleet.hits("agent.before_finish"), PATIENCE_S, "an agent has died")
    rounds.judge(violations(settled(fleet)))


def has_gone_on(fleet: ArmedFleet, after_ms: int) -> bool:
    """Whether fires were decided on, and workflows have come to their end, since that moment."""
    return fleet.cursor_ms("second") > after_ms + 2000 and newest(fleet, "third") > after_ms


def newest(fleet: ArmedFleet, job: str) -> int:
    """When the newest run of the job that has succeeded has ended (ms)."""
    ends = [run.ended_at_ms or 0 for run in fleet.jober.runs(job) if run.state == "success"]
    return max(ends, default=0)


def settled(fleet: ArmedFleet) -> dict[str, list[Run]]:
    """All runs of each job, once nothing goes on any more."""
    for name in ("second", "first"):
        fleet.jober.pause(name)

    def all_runs() -> dict[str, list[Run]]:
        return {name: fleet.jober.runs(name, limit=1000) for name in JOBS}

    def over() -> dict[str, list[Run]] | None:
        found = all_runs()
        if not all(run.state.is_final for of_job in found.values() for run in of_job):
            return None
        if fleet.jober.store.connection.command("EXISTS", keys.ENDED, keys.NEEDING):
            return None
        # What they have started is there by now, and may have begun after its job was looked at.
        return found if all_runs() == found else None

    return wait_until(over, PATIENCE_S, "all has ended")


def violations(runs: dict[str, list[Run]]) -> list[str]:
    """What ran that should not have, or did not that should."""
    firsts = {run.id: run for run in runs["first"]}
    found = [
        f"{run.id} ended as {run.state}: {run.reason}"
        for of_job in runs.values()
        for run in of_job
        if run.state != "success"
    ]
    for run in runs["second"]:
        needed = [firsts[id] for id in run.needed.get("first", ()) if id in firsts]
        if [one.fire_at_ms for one in needed] != [run.fire_at_ms]:
            found.append(f"{run.id} has waited for {[one.id for one in needed]}")
        for one in needed:
            if (one.ended_at_ms or 0) > (run.started_at_ms or 0):
                found.append(f"{run.id} began before {one.id} had ended")
    started = Counter(run.after for run in runs["third"])
    for run in runs["second"]:
        if started[run.id] != 1:
            found.append(f"{run.id} has started third {started[run.id]} times")
    if extra := started.keys() - {run.id for run in runs["second"]}:
        found.append(f"third was started by {sorted(map(str, extra))}")
    return found
