"""Agents and guardians die, or stand still, wherever it hurts most: no run is silently gone, none
that may run once runs twice, and nothing is held for ever."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from jober.run import RunState
from jober.store import keys
from tests.faults.armed_fleet import LEASE_S, ROLE, ArmedFleet, freeze, is_gone
from tests.faults.checker import Checker
from tests.faults.proxy import Proxy
from tests.faults.rounds import Rounds
from tests.faults.work import command, function
from tests.waiting import wait_until
from tests.worker.agents import agent_of

HOSTS = ("host1", "host2", "host3")
EACH_SECOND = {"cron": "* * * * * *", "overlap": "allow", "catch_up": "all"}
PATIENCE_S = 90.0

# Which pass is the end of an agent: each finds some work done before.
PASSES = {
    "agent.joined": 1,
    "agent.before_claim": 3,
    "agent.claimed": 3,
    "agent.before_start": 5,
    "agent.started": 4,
    "agent.ended": 5,
    "agent.before_finish": 3,
    "agent.finished": 3,
    "agent.before_renew": 5,
    "agent.renewed": 5,
}


@pytest.fixture
def busy_fleet(armed_fleet: ArmedFleet, checker: Checker) -> Iterator[ArmedFleet]:
    """A scheduler, and jobs each second: functions and programs that may run once, ones that are
    tried again where their agent is lost, and ones that share few slots."""
    armed_fleet.armed_scheduler()
    add, again = armed_fleet.add, {"retries": 3, "retry_on": ["lost"], "retry_delay": 0}
    armed_fleet.jober.set_limit("shared", 2)
    add("function", **function(0.2), **EACH_SECOND)
    add("command", **command(0.3), **EACH_SECOND)
    add("again", **command(0.3), **EACH_SECOND, **again)
    add("tight", **function(0.1), **{**EACH_SECOND, "overlap": "queue"}, concurrency=1)
    add("limited", **command(0.1), **EACH_SECOND, limits=["shared"])
    add("limited-too", **function(0.1), **EACH_SECOND, limits=["shared"], **again)
    checker.expect("function", "command", "again", "tight", "limited", "limited-too")
    yield armed_fleet


def held_by(fleet: ArmedFleet, pid: int) -> list[str]:
    """The attempts that the agent with this pid answers for, by what Redis has."""
    command = fleet.jober.store.connection.command
    leases = [lease.decode().split(" ") for lease in command("ZRANGE", keys.LEASES, 0, -1)]
    agents = {lease[3] for lease in leases}
    its = {id for id in agents if int(command("HGET", keys.agent(id), "pid") or pid) == pid}
    return [lease[0] for lease in leases if lease[3] in its]


def await_nothing_held(fleet: ArmedFleet, pid: int) -> None:
    wait_until(lambda: not held_by(fleet, pid), PATIENCE_S, "nothing is held")


def works_on(fleet: ArmedFleet, host: str, after_ms: int) -> bool:
    """Whether a run of a later fire has succeeded there."""
    return any(
        run.state is RunState.SUCCESS and run.host == host and (run.fire_at_ms or 0) > after_ms
        for name in ("function", "command", "again", "long")
        for run in fleet.jober.runs(name, limit=10)
    )


def await_work(fleet: ArmedFleet, host: str, after_ms: int) -> None:
    told = f"{host} works"
    wait_until(lambda: works_on(fleet, host, after_ms), PATIENCE_S, told)


def await_new_hit(fleet: ArmedFleet, name: str, known: set[int]) -> int:
    """The pid of a process that the failpoint has hit, and that is not among the known."""
    hit = wait_until(lambda: set(fleet.hits(name)) - known, PATIENCE_S, f"{name} is passed").pop()
    known.add(hit)
    return hit


@pytest.mark.faults(count=50)
@pytest.mark.parametrize("name", PASSES)
def test_an_agent_is_killed_at(
    name: str, busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet, known = busy_fleet, set[int]()
    # One stays, for the runs that go elsewhere; the others are started again by their guardians.
    fleet.armed_agent(HOSTS[0])
    guardians = [fleet.armed_agent(host, f"{name}=kill@{PASSES[name]}") for host in HOSTS[1:]]
    for _ in rounds:
        agent, died_s = await_new_hit(fleet, name, known), time.monotonic()
        await_nothing_held(fleet, agent)
        rounds.recovered(time.monotonic() - died_s)
    for guardian in guardians:
        guardian.terminate()
    rounds.judge(checker.settled())


@pytest.mark.faults(count=30)
def test_an_agent_is_killed_as_it_leaves(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet = busy_fleet
    fleet.armed_agent(HOSTS[0])
    for _ in rounds:
        guardian = fleet.armed_agent(HOSTS[1], "agent.before_leave=kill", waits=False)
        await_work(fleet, HOSTS[1], fleet.now_ms())
        agent = agent_of(guardian)
        guardian.terminate()
        assert guardian.wait(PATIENCE_S) == 128 + signal.SIGKILL
        died_s = time.monotonic()
        await_nothing_held(fleet, agent)
        rounds.recovered(time.monotonic() - died_s)
    rounds.judge(checker.settled())


@pytest.mark.faults(count=30)
def test_an_agent_is_killed_before_its_journal_is_written(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet, known = busy_fleet, set[int]()
    fleet.armed_agent(HOSTS[0])
    with away(fleet) as proxy:
        # Something of it is always going on there.
        fleet.add("long", **{**function(1.5), **EACH_SECOND, "roles": [f"{ROLE}+far"]})
        ways, far = ("--redis", proxy.url), f"{ROLE},far"
        fleet.armed_agent(HOSTS[1], "journal.before_write=kill", *ways, roles=far)
        for _ in rounds:
            await_work(fleet, HOSTS[1], fleet.now_ms())
            proxy.cut()
            agent, died_s = await_new_hit(fleet, "journal.before_write", known), time.monotonic()
            proxy.heal()
            await_nothing_held(fleet, agent)
            rounds.recovered(time.monotonic() - died_s)
        rounds.judge(checker.settled())


@pytest.mark.faults(count=30)
def test_an_agent_is_killed_with_a_journal_and_the_next_one_when_it_has_reported_it(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet, known = busy_fleet, set[int]()
    fleet.armed_agent(HOSTS[0])
    with away(fleet) as proxy:
        # Something of it is always going on there.
        fleet.add("long", **{**function(1.5), **EACH_SECOND, "roles": [f"{ROLE}+far"]})
        ways, far = ("--redis", proxy.url), f"{ROLE},far"
        start = partial(fleet.armed_agent, HOSTS[1])
        for _ in rounds:
            writer = start("journal.written=kill", *ways, roles=far, waits=False)
            await_work(fleet, HOSTS[1], fleet.now_ms())
            proxy.cut()
            agent, died_s = await_new_hit(fleet, "journal.written", known), time.monotonic()
            writer.kill()
            proxy.heal()
            reporter = start("replayer.reported=kill", *ways, roles=far, waits=False)
            await_new_hit(fleet, "replayer.reported", known)
            reporter.kill()
            await_nothing_held(fleet, agent)
            rounds.recovered(time.monotonic() - died_s)
        # What was reported stays so, though it is reported again.
        start("", *ways, roles=far)
        journals = fleet.folder / HOSTS[1] / "logs-journal"
        wait_until(lambda: not list(journals.iterdir()), PATIENCE_S, "no journal is left")
        rounds.judge(checker.settled())


@contextmanager
def away(fleet: ArmedFleet) -> Iterator[Proxy]:
    """A way to Redis that can be cut, for one host; it is there until all have ended."""
    with Proxy(Path(fleet.url.removeprefix("unix://"))) as proxy:
        try:
            yield proxy
        finally:
            proxy.heal()
            fleet.stop()


@pytest.mark.faults(count=20)
@pytest.mark.parametrize("name", ["agent.claimed", "agent.started", "agent.before_finish"])
def test_an_agent_stands_still_at(
    name: str, busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet, known = busy_fleet, set[int]()
    fleet.armed_agent(HOSTS[0])
    for host in HOSTS[1:]:
        fleet.armed_agent(host, f"{name}=stop@{PASSES[name]}")
    for _ in rounds:
        agent, stood_s = await_new_hit(fleet, name, known), time.monotonic()
        wait_until(partial(is_gone, agent), PATIENCE_S, "its guardian kills it")
        await_nothing_held(fleet, agent)
        rounds.recovered(time.monotonic() - stood_s)
    rounds.judge(checker.settled())


@pytest.mark.faults(count=20)
def test_a_whole_host_stands_still_for_two_leases(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet = busy_fleet
    guardians = {host: fleet.armed_agent(host) for host in HOSTS[:2]}
    for number in rounds:
        host = HOSTS[number % 2]
        await_work(fleet, host, fleet.now_ms())
        frozen = [guardians[host].pid, agent_of(guardians[host])]
        for pid in frozen:
            freeze(pid)
        until_s = time.monotonic() + 2 * LEASE_S
        wait_until(lambda: time.monotonic() > until_s)  # noqa: B023
        woken_ms, woken_s = fleet.now_ms(), time.monotonic()
        # The agent first: it is told nothing by its guardian before it has looked for itself.
        for pid in reversed(frozen):
            os.kill(pid, signal.SIGCONT)
        await_work(fleet, host, woken_ms)
        rounds.recovered(time.monotonic() - woken_s)
    rounds.judge(checker.settled())


@pytest.mark.faults(count=20)
def test_a_guardian_stands_still_for_two_leases_and_nothing_is_lost(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet = busy_fleet
    guardian = fleet.armed_agent(HOSTS[0])
    agent = agent_of(guardian)
    for _ in rounds:
        since_ms, since_s = fleet.now_ms(), time.monotonic()
        freeze(guardian.pid)
        wait_until(lambda: time.monotonic() > since_s + 2 * LEASE_S)  # noqa: B023
        guardian.send_signal(signal.SIGCONT)
        await_work(fleet, HOSTS[0], since_ms)
    assert agent_of(guardian) == agent
    rounds.judge(checker.settled())


@pytest.mark.faults(count=30)
@pytest.mark.parametrize(
    "name", ["", "guardian.forked", "guardian.before_clearing", "guardian.cleared"]
)
def test_a_guardian_is_killed(
    name: str, busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet = busy_fleet
    fleet.armed_agent(HOSTS[0])
    for _ in rounds:
        guardian = fleet.armed_agent(HOSTS[1], f"{name}=kill" if name else "", waits=False)
        if name != "guardian.forked":
            await_work(fleet, HOSTS[1], fleet.now_ms())
            # Two of the places are only passed when its agent has died.
            os.kill(agent_of(guardian) if name else guardian.pid, signal.SIGKILL)
        wait_until(lambda: guardian.poll() is not None, PATIENCE_S, "the guardian dies")  # noqa: B023
        died_s = time.monotonic()
        wait_until(lambda: not holds(fleet, HOSTS[1]), PATIENCE_S, "nothing is held")
        rounds.recovered(time.monotonic() - died_s)
    fleet.armed_agent(HOSTS[1])
    rounds.judge(checker.settled())


def holds(fleet: ArmedFleet, host: str) -> list[str]:
    return fleet.jober.store.agents.held(host)
