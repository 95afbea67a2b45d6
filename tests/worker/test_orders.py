"""What an operator orders of a host, on real agents: cordon, drain, uncordon, other roles."""

import signal
import subprocess

from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, start


def order(fleet: Fleet, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BIN / "jober"), "agents", *words, "--redis", fleet.url], capture_output=True, text=True
    )


def states(fleet: Fleet) -> dict[str, str]:
    return {agent.host: agent.state for agent in fleet.jober.agents()}


def test_a_cordoned_host_takes_nothing_and_its_runs_go_on(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    long = start(fleet, "long", command="sleep 600")
    wait_until(lambda: long.state == "running", told="it runs")
    assert order(fleet, "cordon", "web1").returncode == 0
    assert states(fleet) == {"web1": "cordoned"}
    waiting = start(fleet, "waiting", command="true")
    fleet.agent("web2", ROLE)
    assert waiting.wait(45).host == "web2"
    assert long.state == "running"


def test_an_agent_that_starts_on_a_cordoned_host_is_cordoned(fleet: Fleet) -> None:
    assert "no agent is live on 'web1'" in order(fleet, "cordon", "web1").stderr
    fleet.agent("web1", ROLE)
    assert states(fleet) == {"web1": "cordoned"}
    waiting = start(fleet, "waiting", command="true")
    assert order(fleet, "uncordon", "web1").returncode == 0
    assert waiting.wait(45).host == "web1"


def test_a_drain_waits_for_what_runs_and_tells_when_the_time_is_over(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    long = start(fleet, "long", command="sleep 600")
    wait_until(lambda: long.state == "running", told="it runs")
    hasty = order(fleet, "drain", "web1", "--wait", "--timeout", "0.3")
    assert hasty.returncode == 1
    assert f"1 still run there: {long.id}" in hasty.stderr
    patient = subprocess.Popen(
        [str(BIN / "jober"), "agents", "drain", "web1", "--wait", "--redis", fleet.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert patient.stderr is not None
    assert b"1 still run there" in patient.stderr.readline()
    long.cancel("enough")
    out, _ = patient.communicate(timeout=60)
    assert patient.returncode == 0 and b"nothing runs on web1" in out


def test_a_run_that_prefers_a_cordoned_host_goes_elsewhere_and_a_bound_one_waits(
    fleet: Fleet,
) -> None:
    fleet.agent("web1", ROLE)
    fleet.agent("web2", ROLE)
    fleet.scheduler()
    # The reaper holds still at first, since agents may not have been able to renew.
    fleet.jober.cordon("web1")
    fleet.jober.add_job("bound", command="true", roles=[ROLE])
    bound = fleet.jober.run("bound", host="web1")
    fleet.jober.add_job("packed", command="true", roles=[ROLE], prefer="pack")
    assert fleet.jober.run("packed").wait(20).host == "web2"
    assert bound.state == "queued"
    fleet.jober.uncordon("web1")
    assert bound.wait(45).host == "web1"


def test_what_was_sent_to_a_host_that_dies_before_it_starts_runs_on_another(fleet: Fleet) -> None:
    dying = fleet.agent("web1", ROLE)
    fleet.agent("web2", ROLE)
    fleet.scheduler()
    fleet.jober.add_job("packed", command="true", roles=[ROLE], prefer="pack")
    [first] = [agent for agent in fleet.jober.agents() if agent.host == "web1"]
    dying.send_signal(signal.SIGSTOP)
    subprocess.run(["kill", "-KILL", str(first.pid)], check=True)
    run = fleet.jober.run("packed")
    assert fleet.jober.store.connection.command("LLEN", "rq:queue:@web1") == 1
    assert run.wait(40).host == "web2"
    dying.kill()


def test_other_roles_hold_at_once_and_after_a_restart_until_they_are_reset(fleet: Fleet) -> None:
    first = fleet.agent("web1", ROLE)
    fleet.jober.add_job("dump", command="true", roles=["db"])
    dump = fleet.jober.run("dump")
    assert order(fleet, "roles", "web1", "db,cache").returncode == 0
    assert dump.wait(45).host == "web1"
    [agent] = fleet.jober.agents()
    assert (set(agent.roles), set(agent.own_roles)) == ({"db", "cache"}, {ROLE})
    assert "cache, db*" in order(fleet).stdout
    first.send_signal(signal.SIGTERM)
    first.wait(20)
    fleet.agent("web1", ROLE)
    assert fleet.jober.agents()[0].roles == {"db", "cache"}
    assert order(fleet, "roles", "web1", "--reset").returncode == 0
    wait_until(lambda: fleet.jober.agents()[0].roles == {ROLE}, told="its own roles")
    assert start(fleet, "page", command="true").wait(45).state == "success"


def test_the_leader_sees_the_roles_that_a_host_has_now(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    fleet.jober.set_roles("web1", ["db"])
    fleet.jober.add_job("dump", command="true", roles=["db"], every=1, on="every")
    wait_until(lambda: fleet.jober.runs("dump"), told="a fire")
    assert fleet.jober.handle(fleet.jober.runs("dump")[-1].id).wait(45).host == "web1"


def test_what_was_ordered_of_a_host_is_told(fleet: Fleet) -> None:
    for words in (
        ["cordon", "web1"],
        ["cordon", "web1"],
        ["roles", "web1", "db"],
        ["uncordon", "web1"],
    ):
        assert order(fleet, *words).returncode == 0
    told = [(event.type, event.facts["host"]) for event in fleet.jober.recent_events()]
    assert told[::-1] == [
        ("agent.cordoned", "web1"),
        ("agent.roles", "web1"),
        ("agent.uncordoned", "web1"),
    ]
    assert "given the roles db, and has no live agent" in order(fleet).stderr
    assert order(fleet, "roles", "web1").returncode == 2
