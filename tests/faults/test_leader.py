"""The leader dies, or stands still, wherever it hurts most: no fire is lost, and none doubled."""

import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial

import pytest

from jober.failpoint import FAILPOINTS
from jober.store import keys
from tests.faults.armed_fleet import LEAD_S, ArmedFleet, is_frozen
from tests.faults.checker import Checker
from tests.faults.rounds import Rounds
from tests.faults.work import command, function
from tests.receiver import Receiver
from tests.waiting import wait_until

EACH_SECOND = {"cron": "* * * * * *", "overlap": "allow", "catch_up": "all"}
# A takeover may take so long on a machine that has much else to do.
PATIENCE_S = 60.0

# At which of its passes a leader dies: at the first where it can, and where that would have none
# ever fire, after some that went well.
PASSES = {
    "leader.elected": 1,
    "leader.heard": 1,
    "leader.read": 3,
    "leader.decided": 3,
    "leader.before_fire": 2,
    "leader.fired": 1,
    "leader.before_serve": 2,
    "leader.served": 2,
    "leader.before_prune": 1,
    "leader.before_resign": 1,
    "leader.before_take": 3,
    "leader.sent": 1,
    "scheduler.before_promote": 4,
    "scheduler.before_reclaim": 2,
    "scheduler.reclaimed": 2,
    "scheduler.before_lead": 18,
}


@pytest.fixture
def busy_fleet(armed_fleet: ArmedFleet, checker: Checker) -> Iterator[ArmedFleet]:
    """An agent, and jobs of all kinds: each second, by hand, tried again, told of, and a service
    that ends again and again, so that everything that a leader does is done all the time."""
    armed_fleet.armed_agent("host1")
    with Receiver() as receiver:
        hook = {"on": ["every-failure"], "webhook": receiver.url}
        yield busy(armed_fleet, checker, notify=[hook])


def busy(fleet: ArmedFleet, checker: Checker, **of_again: object) -> ArmedFleet:
    add = fleet.add
    add("function", **function(), **EACH_SECOND)
    add("command", **command(), **EACH_SECOND)
    add("everywhere", **command(), **EACH_SECOND, on="every", concurrency=50)
    add("again", command="exit 1", shell=True, retries=1, retry_delay=0, **of_again, **EACH_SECOND)
    add(
        "service",
        **command(0.3),
        service=True,
        # Of a job, the last 1,000 runs are kept: all of these are to be among them.
        restart_delay=1,
        restart_max_delay=1,
    )
    checker.expect("function", "command", "again")
    checker.expect("everywhere", hosts=["host1"])
    return fleet


def await_fire(fleet: ArmedFleet, after_ms: int) -> None:
    wait_until(
        lambda: fleet.cursor_ms("function") > after_ms,
        PATIENCE_S,
        "a leader has decided on what came later",
    )


def ring(fleet: ArmedFleet) -> None:
    """As whatever changes a definition does."""
    command = fleet.jober.store.connection.command
    if not command("LLEN", keys.WAKE):
        command("RPUSH", keys.WAKE, 1)


def hand_over(
    fleet: ArmedFleet, heir: "subprocess.Popen[bytes] | None", failpoints: str
) -> "subprocess.Popen[bytes]":
    """Start a scheduler, and have the one that leads resign in order: the new one leads then."""
    new = fleet.armed_scheduler(failpoints)
    if heir is not None:
        heir.terminate()
        assert heir.wait(PATIENCE_S) == 0
    return new


def test_there_is_no_failpoint_of_a_leader_at_which_none_is_killed() -> None:
    assert PASSES.keys() == {name for name in FAILPOINTS if name.startswith(("leader", "sched"))}


@pytest.mark.faults(count=50)
@pytest.mark.parametrize("name", PASSES)
def test_the_leader_is_killed_at(
    name: str, busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet, heir = busy_fleet, None
    for _ in rounds:
        victim = hand_over(fleet, heir, f"{name}=kill@{PASSES[name]}")

        def dies(victim: "subprocess.Popen[bytes]" = victim) -> bool:
            ring(fleet)
            if name == "leader.before_resign" and leads(fleet, victim):
                victim.terminate()
            return victim.poll() is not None

        wait_until(dies, PATIENCE_S, f"{name} is passed")
        assert victim.returncode == -signal.SIGKILL
        died_ms, died_s = fleet.now_ms(), time.monotonic()
        heir = fleet.armed_scheduler()
        await_fire(fleet, died_ms)
        rounds.recovered(time.monotonic() - died_s)
    rounds.judge(checker.settled())


@pytest.mark.faults(count=50)
def test_the_leader_stands_still_for_two_leases_between_its_look_at_the_lead_and_its_fire(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet = busy_fleet
    # The other one has fired in its place when it goes on.
    for _ in range(2):
        fleet.armed_scheduler("leader.before_fire=stop%3")
    for _ in rounds:
        leader = await_stopped(fleet)
        stopped_ms, stopped_s = fleet.now_ms(), time.monotonic()
        await_fire(fleet, stopped_ms)
        rounds.recovered(time.monotonic() - stopped_s)
        wait_until(partial(has_been, stopped_s + 2 * LEAD_S))
        go_on(leader)
    end_stops(fleet)
    rounds.judge(checker.settled())


@pytest.mark.faults(count=20)
def test_the_leader_stands_still_before_its_fire_until_another_is_elected_which_has_not_fired(
    busy_fleet: ArmedFleet, checker: Checker, rounds: Rounds
) -> None:
    fleet = busy_fleet
    # What is due is still due: only the fence can tell that it is another's to fire by now.
    for _ in range(2):
        fleet.armed_scheduler("leader.before_fire=stop%3,leader.elected=hang:600%1")
    for _ in rounds:
        leader = await_stopped(fleet)
        stopped_ms, stopped_s = fleet.now_ms(), time.monotonic()
        wait_until(partial(another_leads, fleet, leader), PATIENCE_S, "another leads")
        go_on(leader)
        await_fire(fleet, stopped_ms)
        rounds.recovered(time.monotonic() - stopped_s)
    end_stops(fleet)
    rounds.judge(checker.settled())


def await_stopped(fleet: ArmedFleet) -> "subprocess.Popen[bytes]":
    return wait_until(lambda: next(iter(stopped(fleet)), None), PATIENCE_S, "one stands still")


def stopped(fleet: ArmedFleet) -> "list[subprocess.Popen[bytes]]":
    """The schedulers that stand still."""
    return [one for one in fleet.processes if one.poll() is None and is_frozen(one.pid)]


def has_been(moment_s: float) -> bool:
    return time.monotonic() > moment_s


def leads(fleet: ArmedFleet, scheduler: "subprocess.Popen[bytes]") -> bool:
    leader = fleet.jober.leader()
    return leader is not None and leader.pid == scheduler.pid


def another_leads(fleet: ArmedFleet, scheduler: "subprocess.Popen[bytes]") -> bool:
    leader = fleet.jober.leader()
    return leader is not None and leader.pid != scheduler.pid


def go_on(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGCONT)


def end_stops(fleet: ArmedFleet) -> None:
    """Have a scheduler lead that is not armed."""
    leaders = {one.pid for one in fleet.processes if "jober-scheduler" in str(one.args)}
    fleet.armed_scheduler()
    for one in fleet.processes:
        if one.pid in leaders:
            one.kill()
