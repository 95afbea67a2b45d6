"""Leases and results through Redis, which may go away in the middle of all of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from jober.errors import RedisRefused
from jober.output import End, Frame
from jober.run import Claim, Outcome, RunState, Work
from jober.store import Store
from jober.store.report import Finish
from jober_worker.reporter import Reporter
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import (
    ROLE,
    joined,
    lease_of,
    numbers,
    output,
    patched_agent,
    start,
)
from tests.worker.test_process import lives


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that keeps what it was told over a crash."""
    with RedisServer(tmp_path / "redis", durable=True) as server:
        yield server


@pytest.fixture
def lasting(server: RedisServer, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet on that Redis."""
    fleet = Fleet(server.url, tmp_path)
    try:
        yield fleet
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


# A renewal each 2 s in earnest.
SOON = "import jober_worker.renewer as r; r.RENEW_S = 0.2"


def give_up(fleet: Fleet, run: str) -> None:
    """Have a run taken for lost, as if its agent had been silent."""
    store = fleet.jober.store

    def lost() -> list[str]:
        store.connection.command("ZADD", "jober:leases", "1", lease_of(fleet, run)[0])
        return list(store.leases.reclaim().lost)

    # Its agent may renew the lease in between.
    assert wait_until(lost) == [run]


def finishes(fleet: Fleet) -> Counter[str]:
    """How often each run has been told to have ended."""
    return Counter(
        str(event.facts["run"])
        for event in fleet.jober.store.events.newest(10_000)
        if event.type == "run.finished"
    )


def test_runs_that_end_while_redis_is_away_have_their_true_outcome_once_it_is_back(
    lasting: Fleet, server: RedisServer
) -> None:
    lasting.agent("web1", ROLE)
    folder = lasting.folder
    wait = f"echo up; while [ ! -e {folder}/go ]; do sleep 0.02; done; echo down; "
    end = f"touch {folder}/$JOBER_JOB.ended; "
    handles = {
        "good": start(lasting, "good", command=wait + end, shell=True),
        "bad": start(lasting, "bad", command=wait + end + "exit 7", shell=True),
        "slow": start(lasting, "slow", command=wait + "sleep 1; exit 8", shell=True),
        "late": start(lasting, "late", command="echo up; sleep 60", shell=True, timeout=2),
        "call": start(lasting, "call", call="time:sleep", args=[2]),
    }
    wait_until(lambda: all(handle.state is RunState.RUNNING for handle in handles.values()))
    wait_until(lambda: output(lasting, handles["slow"].id) == "up\n")
    server.kill()
    (folder / "go").touch()
    wait_until(lambda: len(list(folder.glob("*.ended"))) == 2)
    wait_until(lambda: "output waits for Redis" in lasting.logs())
    server.start()
    ended = {name: handle.wait(45) for name, handle in handles.items()}
    assert {name: (run.state, run.exit_code) for name, run in ended.items()} == {
        "good": (RunState.SUCCESS, 0),
        "bad": (RunState.FAILED, 7),
        "slow": (RunState.FAILED, 8),
        "late": (RunState.TIMEOUT, 143),
        "call": (RunState.SUCCESS, 0),
    }
    assert output(lasting, handles["slow"].id) == "up\ndown\n"
    assert finishes(lasting) == {handle.id: 1 for handle in handles.values()}
    connection = lasting.jober.store.connection
    wait_until(lambda: connection.command("ZCARD", "jober:leases") == 0)


def test_the_end_of_a_run_is_told_after_all_that_it_has_written(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    go = fleet.folder / "go"
    wait = f"echo up; while [ ! -e {go} ]; do sleep 0.02; done; "
    # More than goes to Redis in one round trip.
    handle = start(fleet, "long", command=wait + "yes | head -c 700000", shell=True)
    told: list[Frame | End] = []
    for one in fleet.jober.store.outputs.follow(handle.id, timeout_s=30):
        if isinstance(one, Frame | End):
            told.append(one)
            go.touch()
    *frames, end = told
    assert isinstance(end, End) and end.state == "success"
    assert [frame.seq for frame in frames if isinstance(frame, Frame)] == [
        n + 1 for n in range(end.last_seq)
    ]
    assert sum(len(frame.data) for frame in frames if isinstance(frame, Frame)) == 700_003


def test_many_results_are_told_once_though_redis_goes_away_in_the_middle(
    lasting: Fleet, server: RedisServer
) -> None:
    lasting.agent("web1", ROLE)
    lasting.jober.add_job("many", command="sleep 0.05; exit 3", shell=True, roles=[ROLE],
                          concurrency=100)  # fmt: skip
    handles = [lasting.jober.run("many") for _ in range(100)]
    wait_until(lambda: len(finishes(lasting)) > 20)
    server.kill()
    wait_until(lambda: "cannot renew" in lasting.logs())
    server.start()
    runs = [handle.wait(40) for handle in handles]
    assert {run.state for run in runs} == {RunState.FAILED}
    # A result that was in the second that the file lost is told again; none is told otherwise.
    assert set(finishes(lasting)) == {handle.id for handle in handles}
    assert {run.exit_code for run in runs} == {3}


def test_a_run_that_is_cancelled_behind_the_back_of_its_agent_is_stopped(fleet: Fleet) -> None:
    """As if the agent had been cut off when the command was published."""
    patched_agent(fleet, SOON)
    handle = start(fleet, "long", command="echo $$; sleep 60", shell=True)
    [pid] = numbers(fleet, handle)
    fleet.jober.store.connection.command("HSET", f"rq:job:{handle.id}", "cancel_requested", "why")
    run = handle.wait(45)
    assert (run.state, run.reason, run.exit_code) == (RunState.CANCELLED, "why", 143)
    wait_until(lambda: not lives(pid))


def test_a_run_that_was_given_up_is_stopped_and_stays_lost_and_frees_its_slot(
    fleet: Fleet,
) -> None:
    patched_agent(fleet, SOON)
    handle = start(fleet, "long", command="echo $$; sleep 60", shell=True)
    [pid] = numbers(fleet, handle)
    connection = fleet.jober.store.connection
    give_up(fleet, handle.id)
    wait_until(lambda: not lives(pid), within=4)
    wait_until(lambda: "reported late" in (handle.run.reason or ""))
    assert handle.state is RunState.LOST
    assert connection.command("ZCARD", "jober:slots:long") == 0


def test_a_function_that_was_given_up_and_ends_well_is_told_as_it_ended(fleet: Fleet) -> None:
    patched_agent(fleet, SOON)
    handle = start(fleet, "long", call="time:sleep", args=[0.8])
    wait_until(lambda: handle.state is RunState.RUNNING)
    give_up(fleet, handle.id)
    wait_until(lambda: "stopping" in fleet.logs())
    wait_until(lambda: handle.state is RunState.SUCCESS)


def test_a_result_that_is_told_twice_is_taken_once(store: Store) -> None:
    told: list[Finish] = []
    reporter = Reporter(store, "an-agent", told.extend)
    connection = store.connection
    connection.command("HSET", "rq:job:a", "data", "x", "status", "queued", "origin", "q")
    connection.command("RPUSH", "rq:queue:q", "a")
    [claim] = store.leases.claim("an-agent", "web1", ["q"], 1).runs
    for code in (3, 4):
        outcome = Outcome(state=RunState.FAILED, exit_code=code)
        reporter.put([Finish(claim=claim, host="web1", outcome=outcome)])
    reporter.part.start()
    assert reporter.stop(5)
    assert len(told) == 2
    assert store.runs.get("a").exit_code == 3
    assert len(store.events.newest()) == 2


def test_a_result_that_is_refused_stands_in_no_others_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    reporter = Reporter(store, "an-agent", lambda ends: told.extend(end.claim.id for end in ends))
    connection = store.connection
    for id in ("bad", "good"):
        connection.command("HSET", f"rq:job:{id}", "data", "x", "status", "queued", "origin", "q")
        connection.command("RPUSH", "rq:queue:q", id)
    claims = store.leases.claim("an-agent", "web1", ["q"], 2).runs
    finish, refused = store.leases.finish, ["bad"]

    def refuse(agent: str, batch: Sequence[Finish]) -> list[bool]:
        if any(one.claim.id in refused for one in batch):
            raise RedisRefused("redis", "OOM command not allowed")
        return finish(agent, batch)

    monkeypatch.setattr(store.leases, "finish", refuse)
    for claim in claims:
        outcome = Outcome(state=RunState.SUCCESS, exit_code=0, return_value=claim.id)
        reporter.put([Finish(claim=claim, host="web1", outcome=outcome)])
    reporter.part.start()
    wait_until(lambda: told == ["good"])
    refused.clear()
    wait_until(lambda: told == ["good", "bad"])
    assert reporter.stop(5)
    assert store.runs.get("bad").return_value == '"bad"'


def test_where_too_many_results_wait_to_be_told_they_are_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jober_worker.reporter.BEHIND", 2)
    reporter = Reporter(store, "an-agent", lambda ends: None)
    work = Work(job="a", queue="q", data=b"[]", options="{}", trigger="manual", timeout=None)
    for number in range(2):
        assert reporter.catch_up(0)
        claim = Claim(id=f"run-{number}", attempt=1, work=work)
        outcome = Outcome(state=RunState.SUCCESS, exit_code=0)
        reporter.put([Finish(claim=claim, host="web1", outcome=outcome)])
    assert not reporter.catch_up(0)
    reporter.part.start()
    assert reporter.catch_up(5)
    assert reporter.stop(5)


def test_a_claim_whose_reply_was_lost_goes_back_to_its_queue_and_runs(fleet: Fleet) -> None:
    # In earnest it is known after 15 s that the reply will not come.
    patched_agent(fleet, SOON + "\nimport jober.store.agents as a; a.UNKNOWN_CLAIM_MS = 300")
    agent = joined(fleet)
    connection = fleet.jober.store.connection
    connection.command("SET", "rq:suspended", "1")
    handle = start(fleet, "unlucky", command="true")
    connection.command("DEL", "rq:suspended")
    store = fleet.jober.store
    claims: list[Claim] = store.leases.claim(agent, "web1", [ROLE], 1).runs
    if claims:  # else the agent was quicker, and there is nothing to lose
        assert claims[0].id == handle.id
    assert handle.wait(45).state is RunState.SUCCESS
    assert handle.run.attempt == (2 if claims else 1)
    assert connection.command("ZCARD", "jober:slots:unlucky") == 0


def test_claims_of_a_later_attempt_survive_that_redis_goes_away(
    fleet: Fleet,
) -> None:
    """The log of an earlier attempt has to be looked at, which must not lose the claim."""
    patched_agent(
        fleet,
        "from jober.errors import RedisUnavailable\n"
        "from jober.store.outputs import OutputStore\n"
        "last, asked = OutputStore.last_seq, []\n"
        "def away(self, run):\n"
        "    asked.append(run)\n"
        "    if len(asked) < 4: raise RedisUnavailable('redis', 'away')\n"
        "    return last(self, run)\n"
        "OutputStore.last_seq = away",
    )
    joined(fleet)
    connection = fleet.jober.store.connection
    connection.command("SET", "rq:suspended", "1")
    handle = start(fleet, "again", command="echo again", shell=True)
    connection.command("HSET", f"rq:job:{handle.id}", "attempt", "1")
    connection.command("XADD", f"jober:out:{handle.id}:log", "1-0", "stream", "stdout", "at", "1",
                       "offset", "0", "data", "first\n")  # fmt: skip
    connection.command("DEL", "rq:suspended")
    run = handle.wait(45)
    assert (run.state, run.attempt) == (RunState.SUCCESS, 2)
    assert output(fleet, handle.id) == "first\nagain\n"


def test_an_agent_that_redis_has_forgotten_joins_again_and_goes_on(fleet: Fleet) -> None:
    patched_agent(fleet, SOON)
    agent = joined(fleet)
    connection = fleet.jober.store.connection
    connection.command("DEL", f"jober:agent:{agent}", "jober:agents")
    wait_until(lambda: [one.id for one in fleet.jober.agents()] == [agent])
    assert start(fleet, "works", command="true").wait(45).state is RunState.SUCCESS
