"""The checker tells each violation, and nothing where all is well."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober import Jober
from jober.embedded import RedisServer
from jober.event import Event
from jober.ids import fired_run_id
from jober.output import Frame, Stream
from jober.run import Run, RunState
from jober.store.outputs import Piece
from jober_worker.processes import RUN_VARIABLE
from tests.faults import checker as checkers
from tests.faults.checker import (
    Checker,
    away,
    out_of_term,
    too_many_at_once,
    unaccounted,
    wrong_bodies,
)
from tests.faults.rounds import Rounds, Told, table
from tests.faults.work import Line, read_log
from tests.store.hand import Hand

SECOND = 1_000


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "work.log"


@pytest.fixture
def checker(jober: Jober, log: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> Checker:
    """Of a fleet with one job, `job`, each second, and one agent."""
    monkeypatch.setattr(checkers, "OUTLIVES_S", 0.2)
    hand.job(cron="* * * * * *", overlap="allow")
    hand.agent()
    checker = Checker(jober, log)
    checker.expect("job")
    return checker


def say(log: Path, what: str, run: str, attempt: int = 1) -> None:
    with log.open("a") as file:
        file.write(f"{what} {run} {attempt} host1 1\n")


def fire(jober: Jober, hand: Hand, n: int = 1) -> str:
    """The n-th next fire; tells its run."""
    at_ms = jober.job("job").cursor_ms + n * SECOND
    assert hand.fire("job", at_ms) == "done"
    return fired_run_id("job", at_ms)


def carry_out(hand: Hand, log: Path, run: str) -> None:
    (claim,) = hand.claim()
    assert claim.id == run
    say(log, "start", run)
    say(log, "end", run)
    frame = Frame(seq=1, stream=Stream.STDOUT, at_ms=1, offset=0, data=b"start\nend\n")
    hand.store.outputs.add([Piece(run=run, attempt=1, frames=(frame,))])
    hand.finish(claim)


def told(checker: Checker) -> str:
    """All that it tells, at once."""
    return "\n".join(checker.settled(within_s=0))


@pytest.fixture
def at_once(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fires may be ahead of the clock here."""
    monkeypatch.setattr("jober.store.fires.EARLY_MS", 60_000)


pytestmark = pytest.mark.usefixtures("at_once")


def test_where_all_is_well_nothing_is_told(
    checker: Checker, jober: Jober, hand: Hand, log: Path
) -> None:
    for _ in range(3):
        carry_out(hand, log, fire(jober, hand))
    assert told(checker) == ""


def test_a_fire_without_a_run_is_told(checker: Checker, jober: Jober, hand: Hand) -> None:
    fire(jober, hand, n=3)
    hand.finish(hand.claim()[0])
    assert told(checker).count("has no run and no entry in the ledger") == 2


def test_a_fire_on_each_host_without_a_run_on_one_is_told(
    checker: Checker, jober: Jober, hand: Hand
) -> None:
    checker.expect("job", hosts=["host1", "host2"])
    assert hand.fire("job", jober.job("job").cursor_ms + SECOND, "host1") == "done"
    hand.finish(hand.claim()[0])
    assert "on host2 has no run" in told(checker) and "on host1" not in told(checker)


def test_a_fire_is_not_wanted_on_a_host_that_was_struck_off(
    checker: Checker, jober: Jober, hand: Hand
) -> None:
    checker.expect("job", hosts=["host1", "host2"])
    at_ms = jober.job("job").cursor_ms + SECOND

    def event(type: str, later_ms: int) -> Event:
        return Event(id="0", type=type, at_ms=at_ms + later_ms, facts={"host": "host2"})

    for events, is_told in (
        ([event("agent.lost", -9_000)], False),
        ([event("agent.lost", 9_000)], True),
        ([event("agent.lost", -9_000), event("agent.joined", 9_000)], False),
        ([event("agent.lost", -90_000), event("agent.joined", -9_000)], True),
        ([event("agent.left", -9_000)], True),
    ):
        found = list(unaccounted("job", [at_ms], [], [], ["host2"], away(events)))
        assert bool(found) is is_told, events


def test_a_run_of_no_fire_is_told(checker: Checker, jober: Jober, hand: Hand, log: Path) -> None:
    carry_out(hand, log, fire(jober, hand))
    at_ms = jober.job("job").cursor_ms + 500
    for moment in (at_ms, at_ms + 500):
        assert hand.fire("job", moment) == "done"
        carry_out(hand, log, fired_run_id("job", moment))
    assert told(checker) == f"job: {fired_run_id('job', at_ms)} is of no fire of its schedule"


def test_a_run_that_does_not_end_is_told(checker: Checker, jober: Jober, hand: Hand) -> None:
    run = fire(jober, hand)
    assert f"not at rest: {run} is queued" in told(checker)
    hand.claim()
    assert f"not at rest: {run} is running" in told(checker)


def test_a_body_that_ran_twice_is_told(
    checker: Checker, jober: Jober, hand: Hand, log: Path
) -> None:
    run = fire(jober, hand)
    carry_out(hand, log, run)
    say(log, "start", run)
    assert told(checker) == f"attempt 1 of {run} ran 2 times"


def test_a_body_that_ran_again_though_it_may_not_is_told(
    checker: Checker, jober: Jober, hand: Hand, log: Path
) -> None:
    run = fire(jober, hand)
    carry_out(hand, log, run)
    say(log, "start", run, attempt=2)
    assert told(checker) == f"{run} is not to be tried again, and ran as attempts [1, 2]"


def test_a_success_whose_body_has_not_ended_is_told(
    checker: Checker, jober: Jober, hand: Hand
) -> None:
    run = fire(jober, hand)
    hand.finish(hand.claim()[0])
    assert told(checker) == f"{run} is a success, and its body has not ended"


def test_a_body_of_no_run_is_told(checker: Checker, log: Path) -> None:
    say(log, "start", "job-nobodys")
    assert told(checker) == "job-nobodys said start, and is no run"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("ZADD jober:slots:job 1 job-1:1", "jober:slots:job has job-1:1, which does not run"),
        ("ZADD jober:limit:db 1 job-1:1", "jober:limit:db has job-1:1, which does not run"),
        ("ZADD rq:wip:default inf job-1:1", "rq:wip:default has job-1:1, which does not run"),
        (
            "ZADD jober:agent:host1-aaaaaa:runs 1 job-1:1",
            "jober:agent:host1-aaaaaa:runs has job-1:1, which does not run",
        ),
        ("SADD jober:active:job job-1", "jober:active:job has job-1, which does not go on"),
        ("ZADD jober:parked:job 1 job-1", "jober:parked:job has job-1, which does not go on"),
        ("ZADD jober:delayed 1 job-1", "jober:delayed has job-1, which does not go on"),
        ("RPUSH rq:queue:default job-1", "rq:queue:default has job-1, which does not go on"),
        ("RPUSH jober:attempts:job-1 {}", "jober:attempts:job-1 belongs to nothing"),
        ("XADD jober:out:job-1:log 1-0 data x", "jober:out:job-1:log belongs to nothing"),
        ("XADD rq:results:job-1 * type 1", "rq:results:job-1 belongs to nothing"),
        ("ZADD jober:runs:gone 1 gone-1", "jober:runs:gone belongs to nothing"),
        ("HSET jober:agent:host9-aaaaaa host host9", "jober:agent:host9-aaaaaa belongs to nothing"),
        (
            "SADD rq:workers rq:worker:host9-aaaaaa",
            "rq:workers has rq:worker:host9-aaaaaa, which is no agent",
        ),
        ("ZADD jober:jobs:tag:x 0 gone", "jober:jobs:tag:x has gone, which is no job"),
        ("SET jober:side:table 1", "jober:side:table is a key that nobody knows"),
        (
            "ZADD jober:leases 1 job-1:1\\ job\\ host1\\ host1-aaaaaa\\ -\\ default",
            "jober:leases has job-1:1, which does not run",
        ),
    ],
)
def test_what_is_left_in_redis_is_told(
    checker: Checker, hand: Hand, command: str, problem: str
) -> None:
    words = command.replace("\\ ", "\0").split(" ")
    hand.store.connection.command(*(word.replace("\0", " ") for word in words))
    assert told(checker) == f"not at rest: {problem}"


def test_a_run_without_its_lease_is_told(checker: Checker, jober: Jober, hand: Hand) -> None:
    run = fire(jober, hand)
    hand.claim()
    hand.store.connection.command("DEL", "jober:leases")
    assert f"not at rest: {run}:1 runs, and has no lease" in told(checker)


@pytest.mark.parametrize(
    ("seq", "offset", "problem"), [(3, 5, "frame 3 follows 1"), (2, 9, "byte 9 follows 5")]
)
def test_output_with_a_hole_is_told(
    checker: Checker, jober: Jober, hand: Hand, seq: int, offset: int, problem: str
) -> None:
    run = fire(jober, hand)
    (claim,) = hand.claim()
    command = hand.store.connection.command
    for number, at, data in ((1, 0, "start"), (seq, offset, "end")):
        fields = ("stream", "stdout", "at", 1, "offset", at, "data", data)
        command("XADD", f"jober:out:{run}:log", f"{number}-0", *fields)
    hand.finish(claim, RunState.FAILED)
    assert told(checker) == f"output of {run}: {problem}"


def test_a_success_that_has_not_said_all_is_told(
    checker: Checker, jober: Jober, hand: Hand, log: Path
) -> None:
    run = fire(jober, hand)
    say(log, "start", run)
    say(log, "end", run)
    hand.finish(hand.claim()[0])
    assert told(checker) == f"output of {run}: b''"


def test_a_process_that_outlives_its_run_is_told(checker: Checker, hand: Hand, log: Path) -> None:
    # By hand: a run of a fire has the name of those that other tests of this second make.
    run = hand.run()
    carry_out(hand, log, run)
    environ = {**os.environ, RUN_VARIABLE: run}
    with subprocess.Popen(["sleep", "600"], env=environ) as process:
        try:
            assert told(checker) == f"process {process.pid} outlives its run {run}"
        finally:
            process.kill()


def a_run(id: str, **fields: object) -> Run:
    facts = {"state": RunState.SUCCESS, "attempt": 1, "queue": "default", **fields}
    return Run(id=id, job="job", description="", trigger="schedule", **facts)  # type: ignore[arg-type]


def test_a_run_that_a_leader_of_the_past_has_made_is_told() -> None:
    runs = [a_run("job-1", term="1000"), a_run("job-2", term="1000"), a_run("job-3", term="2000")]
    made = {"job-1": 1500.0, "job-2": 2500.0, "job-3": 2600.0}
    assert list(out_of_term(runs, made)) == ["job-2 was made in term 1000, when 2000 had begun"]


def test_more_bodies_at_once_than_the_limit_are_told() -> None:
    def line(what: str, run: str) -> Line:
        return Line(what=what, run=run, attempt=1, host="host1", at_ns=1)

    runs = [a_run("a"), a_run("b"), a_run("c", state=RunState.LOST)]
    bodies = [line("start", "a"), line("start", "c"), line("end", "a"), line("start", "b")]
    bodies += [line("end", "b"), line("end", "c")]
    assert list(too_many_at_once("job", 1, runs, bodies)) == []
    bodies.insert(1, line("start", "b"))
    assert list(too_many_at_once("job", 1, runs, bodies)) == ["job: 2 at once, of 1: a:1, b:1"]


def test_bodies_may_run_twice_where_that_is_said() -> None:
    again = [Line(what="start", run="a", attempt=1, host="host1", at_ns=n) for n in (1, 2)]
    runs = [a_run("a", state=RunState.FAILED)]
    assert list(wrong_bodies(runs, again, may_repeat=True, has_retries=False)) == []
    assert len(list(wrong_bodies(runs, again, may_repeat=False, has_retries=False))) == 1


def test_a_log_is_read_as_it_was_written(log: Path) -> None:
    assert read_log(log) == []
    say(log, "start", "job-1", attempt=2)
    (line,) = read_log(log)
    assert (line.what, line.lease, line.host) == ("start", "job-1:2", "host1")


def test_a_tenth_of_the_rounds_is_gone_through_unless_all_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JOBER_FAULTS", raising=False)
    assert [Rounds("a fault", of).count for of in (50, 20, 5)] == [5, 2, 1]
    monkeypatch.setenv("JOBER_FAULTS", "all")
    assert Rounds("a fault", 50).count == 50


def test_the_table_tells_rounds_violations_and_the_slowest_recovery() -> None:
    rounds = Rounds("the leader is killed", 20)
    for _ in rounds:
        rounds.recovered(1.25)
    with pytest.raises(AssertionError, match="a run is lost"):
        rounds.judge(["a run is lost"])
    _, line, other = table([rounds.told, Told(fault="x", of=5)])
    assert line.split() == ["the", "leader", "is", "killed", f"{rounds.count}/20", "1", "1.2", "s"]
    assert other.split() == ["x", "0/5", "not", "judged"]
