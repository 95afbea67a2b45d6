"""A host is cut off from Redis, and works on: what docs/guarantees.md says of it."""

from itertools import groupby
from pathlib import Path

from jober.run import RunState
from jober_worker.kernel import all_processes, variables_of
from jober_worker.processes import RUN_VARIABLE
from tests.faults.spread_fleet import SpreadFleet
from tests.waiting import wait_until

# Says again and again, in a file that all hosts see, on which it runs.
BEATS = 'while :; do echo "$JOBER_RUN_ID $JOBER_HOST" >>"$0"; sleep 0.05; done'


def processes_of(run: str) -> list[int]:
    return [
        pid for pid in all_processes() if variables_of(pid, RUN_VARIABLE) == {RUN_VARIABLE: run}
    ]


def test_its_service_ends_before_another_host_has_it_and_its_runs_when_it_is_back(
    spread_fleet: SpreadFleet, tmp_path: Path
) -> None:
    fleet, jober = spread_fleet, spread_fleet.jober
    of_service, of_run = tmp_path / "service", tmp_path / "run"
    of_service.touch()
    fleet.start_scheduler("scheduler1")
    fleet.start_agent("alpha")
    fleet.add("keep", service=True, command=["sh", "-c", BEATS, str(of_service)])
    fleet.add("once", concurrency=1, command=["sh", "-c", BEATS, str(of_run)])
    run = jober.run("once")

    def hosts() -> list[str]:
        """Those on which the service ran, in order."""
        beats = of_service.read_text().splitlines()
        return [host for host, _ in groupby(beat.split(" ")[1] for beat in beats)]

    wait_until(lambda: hosts() == ["alpha"] and of_run.exists(), 30, "both run")
    fleet.start_agent("beta")

    fleet.hosts["alpha"].cut()
    wait_until(lambda: len(hosts()) > 1, 60, "beta has the service")
    wait_until(lambda: run.state is RunState.LOST, 30, "the run is given up")
    next_one = jober.run("once")
    wait_until(lambda: next_one.state is RunState.RUNNING, 30, "its slot is given on")

    fleet.heal()
    wait_until(lambda: not processes_of(run.id), 60, "it has been told")
    assert hosts() == ["alpha", "beta"], "never two at once"
    assert run.state is RunState.LOST
    assert next_one.state is RunState.RUNNING
    next_one.cancel()
