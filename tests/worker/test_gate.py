"""What hosts refuse, on real agents: by their filters, and by their allow-lists."""

from pathlib import Path

from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended, output, start

FILTERS = "tests.worker.host_filters"


def agent(fleet: Fleet, host: str, *arguments: str) -> None:
    fleet.start("jober-worker", "--host", host, "--roles", ROLE, "--drain", "2", *arguments)
    wait_until(
        lambda: host in {one.host for one in fleet.jober.agents()}, told=f"{host} has joined"
    )


def refusals(fleet: Fleet) -> list[tuple[str, str]]:
    events = fleet.jober.recent_events(1000)
    return [(e.facts["host"], e.facts["reason"]) for e in events if e.type == "run.refused"]


def filtered(fleet: Fleet, host: str, name: str) -> None:
    agent(fleet, host, "--filter", f"{FILTERS}:{name}")


def test_what_a_filter_refuses_runs_on_another_host(fleet: Fleet) -> None:
    filtered(fleet, "web1", "not_the_big")
    fleet.jober.add_job("big", command="echo", roles=[ROLE], args=["done"], retries=0)
    fleet.jober.add_job("small", command="true", roles=[ROLE])
    assert fleet.jober.run("small").wait(45).host == "web1"
    filtered(fleet, "web2", "always")
    for _ in range(5):
        run = fleet.jober.run("big").wait(20)
        assert (run.state, run.host) == (RunState.SUCCESS, "web2")
        assert output(fleet, run.id) == "done\n"
    assert {host for host, _ in refusals(fleet)} <= {"web1"}


def test_where_all_live_hosts_refuse_it_has_failed_and_each_was_asked_once(fleet: Fleet) -> None:
    filtered(fleet, "web1", "never")
    filtered(fleet, "web2", "never")
    run = ended(fleet, "unwanted", command="true", retries=3)
    assert run.state is RunState.FAILED
    assert run.reason and run.reason.endswith("said no; no live host is left that may take it")
    assert sorted(host for host, _ in refusals(fleet)) == ["web1", "web2"]


def test_a_filter_that_fails_or_says_nothing_refuses_and_is_told(fleet: Fleet) -> None:
    filtered(fleet, "web1", "broken")
    run = ended(fleet, "a", command="true")
    assert "broken of web1 failed: ValueError: no idea" in str(run.reason)
    fleet.processes[0].terminate()
    fleet.processes[0].wait(20)
    filtered(fleet, "web1", "nothing")
    assert "said neither True nor False" in str(ended(fleet, "b", command="true").reason)


def test_a_filter_that_does_not_answer_refuses_after_a_while(fleet: Fleet) -> None:
    filtered(fleet, "web1", "slow")
    run = ended(fleet, "a", command="true", within=20)
    assert "gave no answer in 5 s" in str(run.reason)


def test_a_run_that_is_bound_to_a_host_that_refuses_it_has_failed(fleet: Fleet) -> None:
    filtered(fleet, "web1", "never")
    filtered(fleet, "web2", "always")
    fleet.jober.add_job("a", command="true", roles=[ROLE])
    run = fleet.jober.run("a", host="web1").wait(45)
    assert run.state is RunState.FAILED and "it is bound to this host" in str(run.reason)


def test_a_refusal_is_no_attempt_that_counts(fleet: Fleet) -> None:
    filtered(fleet, "web1", "never")
    handle = start(fleet, "a", command="exit 3", shell=True, retries=1, retry_delay=0)
    assert handle.wait(45).state is RunState.FAILED
    filtered(fleet, "web2", "always")
    fleet.scheduler()
    run = fleet.jober.run("a").wait(30)
    assert run.reason == "exit code 3"
    kept = [one.reason for one in fleet.jober.store.runs.attempts(run.id)]
    assert kept == ["exit code 3", "exit code 3"]


def test_what_the_file_of_the_host_does_not_allow_is_not_run_and_told(
    fleet: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "worker.toml"
    file.write_text('slots = 3\n[allow]\ncommands = ["true"]\ncallables = ["operator.add"]\n')
    agent(fleet, "web1", "--config", str(file))
    assert fleet.jober.agents()[0].slots == 3
    touched = tmp_path / "touched"
    run = ended(fleet, "bad", command=["touch", str(touched)], retries=3)
    assert run.state is RunState.FAILED and not touched.exists()
    assert run.reason == f"refused by {file}: [allow] commands does not name 'touch'"
    assert refusals(fleet) == [("web1", run.reason)]
    assert ended(fleet, "good", command="true").state is RunState.SUCCESS
    assert ended(fleet, "sum", call="operator:add", args=[1, 2]).state is RunState.SUCCESS
    assert ended(fleet, "shell", command="true", shell=True).state is RunState.FAILED
    assert ended(fleet, "module", module="platform").state is RunState.FAILED


def test_a_role_that_the_host_does_not_allow_is_not_taken_on_when_it_is_ordered(
    fleet: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "worker.toml"
    file.write_text(f'[allow]\nroles = ["{ROLE}", "db"]\n')
    agent(fleet, "web1", "--config", str(file))
    fleet.jober.set_roles("web1", ["db", "secret"])
    wait_until(lambda: fleet.jober.agents()[0].roles == {"db"}, told="the roles that are allowed")
