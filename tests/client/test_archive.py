"""The archive: ended runs and what they wrote are moved to SQL, and read there; on SQLite and on
PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jober import Jober
from jober.archive import Archive
from jober.archive.schema import METADATA
from jober.client.archived_log import ArchivedLog
from jober.embedded import RedisServer
from jober.errors import ArchiveError, DefinitionError, RunNotFound
from jober.log_line import LogLine, as_text
from jober.output import Frame, Stream, Truncated
from jober.run import Run, RunState
from jober.store.fields import moment_text
from jober.store.outputs import Piece
from tests.fleet import Fleet
from tests.postgres import postgres
from tests.store.hand import Hand

DAY_MS = 86_400_000


@pytest.fixture(scope="session")
def _postgres() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty archive."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/archive.db"
    address: str = request.getfixturevalue("_postgres")
    archive = Archive(address)
    METADATA.drop_all(archive._engine)
    archive.close()
    return address


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


def ended(
    jober: Jober,
    hand: Hand,
    state: RunState = RunState.SUCCESS,
    days_ago: float = 2,
    **outcome: Any,
) -> str:
    """A run that has ended some days ago."""
    id = hand.run()
    [claim] = hand.claim()
    hand.finish(claim, state)
    _set_back(jober, id, days_ago)
    return id


def _set_back(jober: Jober, id: str, days_ago: float) -> None:
    at_ms = jober.store.clock.now_ms() - round(days_ago * DAY_MS)
    jober.store.connection.command("HSET", f"rq:job:{id}", "ended_at", moment_text(at_ms))
    for key in ("jober:runs", "jober:runs:job"):
        jober.store.connection.command("ZADD", key, at_ms, id)


def log_line(level: str, at_ms: int = 1) -> LogLine:
    return LogLine(at_ms=at_ms, level=level, logger="app", message=f"a {level} with ä and \0")


def frames(*pieces: tuple[Stream, bytes], skip_after: int = 0) -> tuple[Frame, ...]:
    made: list[Frame] = []
    offset = seq = 0
    for stream, data in pieces:
        seq += 1
        made.append(Frame(seq=seq, stream=stream, at_ms=5, offset=offset, data=data))
        offset += len(data)
    return tuple(made[:skip_after] + made[skip_after + 1 :] if skip_after else made)


def items(url: str, id: str) -> list[Frame | Truncated]:
    return list(ArchivedLog(url, id).forward())


def test_ended_runs_are_moved_with_all_that_is_theirs(jober: Jober, hand: Hand, url: str) -> None:
    hand.job(tags=["db", "nightly"], retries=1, overlap="allow")
    hand.agent()
    id = hand.run()
    [claim] = hand.claim()
    written = frames(
        (Stream.STDOUT, b"out \xff\0\n"),
        (Stream.LOG, log_line("INFO").to_bytes() + log_line("ERROR").to_bytes()),
        (Stream.STDERR, b"err\n"),
    )
    jober.store.outputs.add([Piece(run=id, frames=written)])
    hand.put_off(claim, exit_code=3, reason="exit code 3")
    jober.store.leases.promote()
    [claim] = hand.claim()
    hand.finish(claim, RunState.SUCCESS, exit_code=0, return_value={"a": [1]}, cpu_s=0.5)
    _set_back(jober, id, 2)
    before = jober.store.runs.get(id)
    attempts = jober.store.runs.attempts(id)

    assert jober.archive(url).to_dict()["runs"] == 1
    with pytest.raises(RunNotFound):
        jober.store.runs.get(id)
    assert jober.runs() == []
    for kept in (f"jober:out:{id}:log", f"jober:attempts:{id}", f"rq:results:{id}"):
        assert jober.store.connection.command("EXISTS", kept) == 0

    archive = Archive(url)
    assert archive.run(id) == before
    assert archive.attempts(id) == attempts
    assert len(attempts) == 2
    archive.close()
    [run] = jober.archived_runs("job", url=url, tag="nightly")
    assert run == before
    first, info, error, last = items(url, id)
    assert isinstance(first, Frame) and (first.stream, first.data) == ("stdout", b"out \xff\0\n")
    assert isinstance(last, Frame) and (last.stream, last.data) == ("stderr", b"err\n")
    assert isinstance(info, Frame) and isinstance(error, Frame)
    assert b"INFO app: a INFO with" in as_text(info.data)
    assert b"ERROR app: a ERROR with" in as_text(error.data)


def test_what_goes_on_is_young_or_is_another_jobs_stays(jober: Jober, hand: Hand, url: str) -> None:
    hand.job(overlap="allow")
    hand.job("other")
    hand.agent()
    old = ended(jober, hand)
    young = ended(jober, hand, days_ago=0.5)
    other = hand.run("other")
    [claim] = hand.claim()
    hand.finish(claim)
    waiting = hand.run()
    assert jober.archive(url, name="other").runs == 0
    assert jober.archive(url).runs == 1
    assert {run.id for run in jober.runs()} == {young, other, waiting}
    assert [run.id for run in jober.archived_runs(url=url)] == [old]
    assert jober.archive(url, older_than=0).runs == 2
    assert [run.id for run in jober.runs()] == [waiting]


def test_a_run_that_was_given_up_may_come_back_for_an_hour(
    jober: Jober, hand: Hand, url: str
) -> None:
    hand.job()
    hand.agent()
    lost = hand.run()
    [claim] = hand.claim()
    hand.expire(claim.lease)
    jober.store.leases.reclaim()
    assert jober.archive(url, older_than=0).runs == 0
    _set_back(jober, lost, 0.5)
    assert jober.archive(url, older_than=0).runs == 1


def test_it_can_be_broken_off_and_done_again(
    jober: Jober, hand: Hand, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.job(overlap="allow")
    hand.agent()
    moved = [ended(jober, hand, days_ago=2 + n) for n in range(3)]
    forget = jober.store.runs.forget

    def killed(runs: list[Run]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(jober.store.runs, "forget", killed)
    with pytest.raises(KeyboardInterrupt):
        jober.archive(url)
    assert len(jober.runs()) == len(jober.archived_runs(url=url)) == 3
    monkeypatch.setattr(jober.store.runs, "forget", forget)
    assert jober.archive(url).runs == 3
    assert jober.runs() == []
    assert [run.id for run in jober.archived_runs(url=url)] == moved


def test_archived_runs_are_found_as_those_in_redis_are(jober: Jober, hand: Hand, url: str) -> None:
    hand.job(overlap="allow", tags=["a"])
    hand.agent()
    made = [
        ended(jober, hand, RunState.FAILED if n % 3 == 0 else RunState.SUCCESS, days_ago=2 + n)
        for n in range(7)
    ]
    jober.archive(url)
    found: list[str] = []
    while page := jober.archived_runs(url=url, after=found[-1] if found else None, limit=3):
        found += [run.id for run in page]
    assert found == made

    def ids(**asked: Any) -> list[str]:
        return [run.id for run in jober.archived_runs(url=url, **asked)]

    assert ids(state="failed") == [made[n] for n in (0, 3, 6)]
    assert ids(since="4.5d") == made[:3]
    assert ids(until="4.5d", state=["success", "failed"]) == made[3:]
    assert ids(host="host1") == made
    assert ids(host="host2") == ids(tag="b") == ids(after="absent") == []
    assert ids(tag="a", limit=2) == made[:2]
    assert [run.id for run in jober.archived_runs("other", url=url)] == []


def test_what_the_cap_has_cut_is_marked_in_its_place(jober: Jober, hand: Hand, url: str) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    [claim] = hand.claim()
    written = frames(
        *((Stream.STDOUT, data) for data in (b"first", b"x" * 1000, b"last")), skip_after=1
    )
    jober.store.outputs.add([Piece(run=id, frames=written)])
    hand.finish(claim)
    _set_back(jober, id, 2)
    jober.archive(url)
    assert [item.data if isinstance(item, Frame) else str(item) for item in items(url, id)] == [
        b"first",
        "[... 1000 bytes truncated ...]",
        b"last",
    ]


def test_runs_output_and_log_records_by_level_are_kept_as_long_as_is_said(
    jober: Jober, hand: Hand, url: str
) -> None:
    hand.job(overlap="allow")
    hand.agent()
    now_ms = jober.store.clock.now_ms()
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    by_age: dict[int, str] = {}
    for days in (2, 20, 200):
        id = hand.run()
        [claim] = hand.claim()
        at_ms = now_ms - days * DAY_MS
        lines = b"".join(log_line(level, at_ms).to_bytes() for level in levels)
        piece = (
            Frame(seq=1, stream=Stream.STDOUT, at_ms=at_ms, offset=0, data=b"out\n"),
            Frame(seq=2, stream=Stream.LOG, at_ms=at_ms, offset=4, data=lines),
        )
        jober.store.outputs.add([Piece(run=id, frames=piece)])
        hand.finish(claim)
        _set_back(jober, id, days)
        by_age[days] = id
    keep_logs = {"debug": "1d", "info": "10d", "error": "100d"}
    done = jober.archive(url, keep_output="30d", keep_logs=keep_logs)
    assert done.to_dict() == {
        "runs": 3,
        "forgotten_runs": 0,
        "forgotten_outputs": 1,
        "forgotten_log_records": 1 + 3 + 5,
    }

    def kept(days: int) -> list[str]:
        return [
            "out" if item.stream is Stream.STDOUT else as_text(item.data).split()[-7].decode()
            for item in items(url, by_age[days])
            if isinstance(item, Frame)
        ]

    assert kept(2)[0] == kept(20)[0] == "out"
    assert [len(kept(days)) for days in (2, 20, 200)] == [1 + 4, 1 + 2, 0]
    assert jober.archive(url, keep_runs="100d").forgotten_runs == 1
    assert [run.id for run in jober.archived_runs(url=url)] == [by_age[2], by_age[20]]
    with pytest.raises(RunNotFound):
        ArchivedLog(url, by_age[200])


def test_many_runs_of_a_real_fleet_are_moved_and_none_is_lost(fleet: Fleet, url: str) -> None:
    fleet.agent("alpha")
    jober = fleet.jober
    jober.add_job("job", command="echo run; echo oops >&2", shell=True, overlap="allow")
    handles = [jober.run("job") for _ in range(120)]
    for handle in handles:
        assert handle.wait(120).state == "success"
    assert jober.archive(url, older_than=0).runs == 120
    assert jober.runs() == []
    found = jober.archived_runs(url=url, limit=1000)
    assert {run.id for run in found} == {handle.id for handle in handles}
    for run in found[:3]:
        assert sorted(item.data for item in items(url, run.id) if isinstance(item, Frame)) == [
            b"oops\n",
            b"run\n",
        ]


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (None, "no address is given .* set JOBER_ARCHIVE_URL"),
        ("nonsense", "its address cannot be read"),
        ("mysql://user:secret@host/db", r"mysql://user:\*\*\*@host/db: it takes SQLite and"),
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("postgresql+psycopg://user:secret@/x?host=/nowhere", r"user:\*\*\*@"),
    ],
)
def test_an_archive_that_cannot_be_used_is_told_without_its_password(
    jober: Jober, address: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBER_ARCHIVE_URL", raising=False)
    with pytest.raises(ArchiveError, match=told) as error:
        jober.archive(address)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"older_than": "soon"}, "older_than: 'soon' is no span of time"),
        ({"keep_runs": -1}, "keep_runs: -1 is no span"),
        ({"keep_logs": {"debag": "1d"}}, "did you mean 'DEBUG'"),
        ({"keep_logs": {"debug": "x"}}, "keep_logs.debug: 'x' is no span"),
    ],
)
def test_a_span_that_is_none_is_refused_before_anything_is_moved(
    jober: Jober, hand: Hand, tmp_path: Path, asked: dict[str, Any], told: str
) -> None:
    hand.job()
    hand.agent()
    ended(jober, hand)
    with pytest.raises(DefinitionError, match=told):
        jober.archive(f"sqlite:///{tmp_path}/archive.db", **asked)
    assert len(jober.runs()) == 1
    assert not (tmp_path / "archive.db").exists()
