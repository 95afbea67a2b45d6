"""The history of runs: by job, state, host, time and tag, a page at a time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jober import Jober
from jober.clock import from_ms
from jober.embedded import RedisServer
from jober.errors import DefinitionError
from jober.run import RunState
from tests.store.hand import Hand


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


@pytest.fixture
def history(jober: Jober, hand: Hand) -> list[str]:
    """Twelve runs, newest first, each made a minute after the one before: of two jobs in turn, on
    two hosts, each third a failure; the newest waits."""
    hand.job("a", overlap="allow", tags=["nightly", "db"])
    hand.job("b", overlap="allow")
    hand.agent()
    hand.agent("host2-bbbbbb")
    ids = []
    for n in range(12):
        id = hand.run("a" if n % 2 == 0 else "b")
        if n < 11:
            agent = "host1-aaaaaa" if n < 6 else "host2-bbbbbb"
            [claim] = hand.claim(agent)
            hand.finish(claim, RunState.FAILED if n % 3 == 0 else RunState.SUCCESS, agent)
        ids.append(id)
    now_ms = jober.store.clock.now_ms()
    for n, id in enumerate(ids):
        made_ms = now_ms - (12 - n) * 60_000
        for key in ("jober:runs", f"jober:runs:{'a' if n % 2 == 0 else 'b'}"):
            jober.store.connection.command("ZADD", key, made_ms, id)
    return ids[::-1]


def ids(runs: list[Any]) -> list[str]:
    return [run.id for run in runs]


def test_runs_are_found_by_job_state_host_and_tag(jober: Jober, history: list[str]) -> None:
    assert ids(jober.runs()) == history
    assert ids(jober.runs("a")) == history[1::2]
    assert ids(jober.runs(state="failed")) == [history[n] for n in (2, 5, 8, 11)]
    assert ids(jober.runs(state=["failed", "queued"])) == [history[n] for n in (0, 2, 5, 8, 11)]
    assert ids(jober.runs(host="host1")) == history[6:]
    assert ids(jober.runs(tag="db")) == history[1::2]
    assert ids(jober.runs("a", state="failed", host="host1", tag="nightly")) == [history[11]]
    assert ids(jober.runs(tag="none")) == []


def test_runs_are_found_by_when_they_were_made(jober: Jober, history: list[str]) -> None:
    assert ids(jober.runs(since="270s")) == history[:4]
    assert ids(jober.runs(until="270s")) == history[4:]
    now = from_ms(jober.store.clock.now_ms())
    since, until = now - timedelta(seconds=570), now - timedelta(seconds=270)
    assert ids(jober.runs(since=since, until=until)) == history[4:9]
    assert ids(jober.runs("b", since=since.isoformat(), until=until)) == [
        history[n] for n in (4, 6, 8)
    ]
    assert ids(jober.runs(since="2020-01-01", until="2020-01-02")) == []


def test_each_page_goes_on_where_the_one_before_ended(jober: Jober, history: list[str]) -> None:
    questions: tuple[dict[str, Any], ...] = (
        {},
        {"state": "success"},
        {"tag": "db"},
        {"since": "450s", "host": "host2"},
    )
    for asked in questions:
        whole = ids(jober.runs(**asked))
        found: list[str] = []
        while page := jober.runs(after=found[-1] if found else None, limit=2, **asked):
            assert len(page) <= 2
            found += ids(page)
        assert found == whole
        assert found


def test_runs_whose_records_have_expired_cut_no_page_short(
    jober: Jober, history: list[str]
) -> None:
    for id in history[2:6]:
        jober.store.connection.command("DEL", f"rq:job:{id}")
    assert ids(jober.runs(limit=4)) == [*history[:2], *history[6:8]]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"state": "fialed"}, "did you mean 'failed'"),
        ({"since": "soon"}, "'soon' is no moment"),
        ({"until": "99999-01-01"}, "is no moment"),
    ],
)
def test_what_cannot_be_looked_for_is_told(jober: Jober, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        jober.runs(**asked)
