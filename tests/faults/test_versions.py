"""This version and the one before it side by side: a fleet goes from one to the other and back,
daemon by daemon, while its jobs fire; nothing is lost, and nothing done twice."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.armed_fleet import ArmedFleet
from tests.faults.checker import Checker
from tests.faults.test_leader import PATIENCE_S, busy
from tests.faults.work import function
from tests.fleet import BIN
from tests.previous import programs
from tests.waiting import wait_until

FILE = """
[jobs.filed]
call = "tests.faults.work:work"
args = [0.05]
process = true
roles = ["work"]
retries = 1
timeout = 30
[jobs.filed.env]
A = "1"
"""


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_fleet_goes_from_one_version_to_the_other_while_jobs_fire(
    way: str, armed_fleet: ArmedFleet, checker: Checker, tmp_path: Path
) -> None:
    fleet, previous = armed_fleet, programs()
    before, after = (previous, BIN) if way == "up" else (BIN, previous)
    fleet.programs = before
    schedulers = [fleet.armed_scheduler(), fleet.armed_scheduler()]
    agents = [fleet.armed_agent(host) for host in ("host1", "host2")]
    busy(fleet, checker)
    checker.expect("everywhere")  # on whichever hosts have an agent just then
    await_fires(fleet)

    # The schedulers first: the new ones lead agents of before, who hold runs of before.
    fleet.programs = after
    schedulers += [fleet.armed_scheduler(), fleet.armed_scheduler()]
    for scheduler in schedulers[:2]:
        # The one that leads is killed, the other resigns; standbys of either version may follow.
        leads = scheduler is fleet.leading()
        scheduler.send_signal(signal.SIGKILL if leads else signal.SIGTERM)
        scheduler.wait(PATIENCE_S)
        await_fires(fleet)
    # Either command line beside daemons of either version.
    use(before, fleet, tmp_path, "1")
    use(after, fleet, tmp_path, "2")

    fleet.add("long", **function(3))
    long = fleet.jober.run("long", host="host1")
    wait_until(lambda: long.state == "running", PATIENCE_S, "a run that an agent of before has")
    for host, agent in zip(("host1", "host2"), agents, strict=True):
        agent.send_signal(signal.SIGTERM)
        fleet.armed_agent(host)
        await_fires(fleet)
        agent.wait(PATIENCE_S)
    # And back to a leader of before, which finds what its successors have written.
    fleet.programs = before
    fleet.armed_scheduler()
    for scheduler in schedulers[2:]:
        scheduler.send_signal(signal.SIGTERM)
        scheduler.wait(PATIENCE_S)
    await_fires(fleet)
    assert long.wait(PATIENCE_S).state == "success"
    violations = checker.settled()
    assert not violations, "\n".join(violations)


def await_fires(fleet: ArmedFleet) -> None:
    """A leader decides on fires from now on, and their runs end well."""
    before = fleet.cursor_ms("function")

    def done() -> bool:
        runs = fleet.jober.runs("function", limit=20)
        return any((run.fire_at_ms or 0) > before and run.state == "success" for run in runs)

    wait_until(done, PATIENCE_S, "a later fire has run")


def use(version: Path, fleet: ArmedFleet, folder: Path, value: str) -> None:
    """Write and read with the command line of a version: a definition, a run, how all stands."""
    file = folder / "jobs.toml"
    file.write_text(FILE.replace('"1"', f'"{value}"'))
    jober(version, fleet, "apply", str(file))
    told = json.loads(jober(version, fleet, "show", "filed", "--json"))
    assert told["definition"]["env"] == {"A": value}
    jober(version, fleet, "run", "filed", "--follow")
    assert "host1" in jober(version, fleet, "agents")


def jober(version: Path, fleet: ArmedFleet, *arguments: str) -> str:
    told = subprocess.run(
        [str(version / "jober"), *arguments],
        env={**os.environ, **fleet.environ, "JOBER_REDIS_URL": fleet.url},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, f"jober {' '.join(arguments)}: {told.stderr}"
    return told.stdout
