"""Streams: what happens and what runs write, each once, in order, however often they are lost."""

import base64
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest

from jober.embedded import RedisServer
from jober.output import Frame, Stream
from jober.progress import Progress, Step
from jober.run import RunState
from jober.store.outputs import Piece
from jober_web import create_app
from jober_web.stream import hub, response
from tests.store.hand import Hand
from tests.waiting import wait_until
from tests.web.conftest import Web, serving, web_at
from tests.web.stream.following import Told, following


def written(hand: Hand, run: str, *texts: bytes) -> None:
    """The run writes these, a frame each."""
    last = next(hand.store.outputs.read_back(run), None)
    seq, offset = (last.seq, last.end) if last else (0, 0)
    frames = []
    for data in texts:
        seq += 1
        frames.append(Frame(seq=seq, stream=Stream.STDOUT, at_ms=1, offset=offset, data=data))
        offset += len(data)
    hand.store.outputs.add([Piece(run=run, frames=tuple(frames))])


def bytes_of(told: Told) -> bytes:
    text = told.data.get("text")
    return base64.b64decode(told.data["base64"]) if text is None else text.encode()


def test_events_begin_with_how_things_are_and_go_on_where_they_were_lost(
    web: Web, hand: Hand
) -> None:
    hand.agent()
    hand.job("job")
    hand.run("job")
    hand.claim()
    with following(web.client, "/api/v1/events", type=["job.*"]) as told:
        first = next(told)
        assert (first.type, first.data["lost"]) == ("snapshot", False)
        assert [agent["host"] for agent in first.data["agents"]] == ["host1"]
        assert [run["job"] for run in first.data["running"]] == ["job"]
        web.jober.pause("job")
        paused = next(told)
        assert (paused.type, paused.data["job"]) == ("job.paused", "job")
    web.jober.resume("job")
    hand.job("other")
    with following(web.client, "/api/v1/events", after=paused.id) as told:
        assert [next(told).type for _ in range(2)] == ["job.resumed", "job.added"]
    with following(web.client, "/api/v1/events", after=paused.id, job="other") as told:
        assert next(told).data["job"] == "other"
    with following(web.client, "/api/v1/events", after="0-1", type=["job.paused"]) as told:
        assert next(told).type == "job.paused"


def test_what_a_run_writes_comes_once_in_order_whole_and_to_its_end(web: Web, hand: Hand) -> None:
    hand.agent()
    hand.job("job")
    run = hand.run("job")
    [claim] = hand.claim()
    texts = [f"line {number}\n".encode() for number in range(300)]
    written(hand, run, *texts[:100])
    path = f"/api/v1/runs/{run}/output/stream"
    with following(web.client, path) as told:
        got = [next(told) for _ in range(100)]
        for start in range(100, 200, 10):
            written(hand, run, *texts[start : start + 10])
        got += [next(told) for _ in range(100)]
    written(hand, run, *texts[200:], b"\xff no text")
    hand.finish(claim, RunState.FAILED, exit_code=3)
    with following(web.client, path, after=got[-1].id) as told:
        got += told
    end = got.pop()
    assert (end.type, end.data) == ("end", {"state": "failed", "exit_code": 3})
    assert {one.type for one in got} == {"frame"}
    assert [bytes_of(one) for one in got] == [*texts, b"\xff no text"]
    # A browser comes again by itself: there is no more for it.
    again = web.client.get(path, headers={"Last-Event-ID": end.id or ""})
    assert (again.status_code, again.content) == (204, b"")


def test_where_the_cap_has_cut_a_mark_stands_also_after_a_stream_was_lost(
    web: Web, hand: Hand
) -> None:
    hand.job("job")
    run = hand.run("job")
    written(hand, run, b"one", b"two", b"three")
    path = f"/api/v1/runs/{run}/output/stream"
    with following(web.client, path) as told:
        first = next(told)
    hand.store.outputs.add([Piece(run=run, frames=(), drop=(2,))])
    with following(web.client, path, after=first.id) as told:
        cut, third = next(told), next(told)
    assert (cut.type, cut.data["dropped"]) == ("truncated", 3)
    assert bytes_of(third) == b"three"


def test_a_run_that_is_not_there_and_a_place_that_is_none_are_refused(web: Web, hand: Hand) -> None:
    assert web.client.get("/api/v1/runs/absent/output/stream").status_code == 404
    hand.job("job")
    run = hand.run("job")
    for path in (f"/api/v1/runs/{run}/output/stream", "/api/v1/events"):
        refused = web.client.get(path, headers={"Last-Event-ID": "x"})
        assert refused.status_code == 422
        assert refused.headers["Content-Type"] == "application/problem+json"


def test_progress_is_told(web: Web, hand: Hand) -> None:
    hand.agent()
    hand.job("job")
    run = hand.run("job")
    [claim] = hand.claim()
    with following(web.client, f"/api/v1/runs/{run}/output/stream") as told:
        written(hand, run, b"begun")
        assert next(told).type == "frame"
        hand.store.runs.progress([(claim, Progress(at_ms=1, whole=Step(done=1, total=2)))])
        progress = next(told)
    assert progress.type == "progress"
    assert progress.data["done"] == 1


def own_hub(web: Web) -> hub.Hub:
    found: hub.Hub = web.app.state.jober_hub
    return found


def test_followers_that_leave_leave_nothing(web: Web, hand: Hand) -> None:
    hand.job("job")
    runs = [hand.run("job") for _ in range(5)]
    for run in runs:
        written(hand, run, b"begun\n")
    clients = len(hand.store.connection.client.client_list())
    with ExitStack() as stack:
        streams = [
            stack.enter_context(following(web.client, f"/api/v1/runs/{run}/output/stream"))
            for run in runs
            for _ in range(20)
        ]
        streams += [
            stack.enter_context(following(web.client, "/api/v1/events")) for _ in range(100)
        ]
        for told in streams:
            assert next(told).type in ("frame", "snapshot")
        assert own_hub(web).followers == 200
        assert own_hub(web).runs.keys() == set(runs)
        # One connection hears the events, and one what the runs write.
        more = len(hand.store.connection.client.client_list()) - clients
        assert more <= 2 + 40, f"{more} more connections for 200 followers"
    wait_until(lambda: own_hub(web).followers == 0, 30)
    assert own_hub(web).runs == {}
    heard = hand.store.connection.client.pubsub_numsub
    channels = [f"jober:out:{run}" for run in runs]
    wait_until(lambda: all(number == 0 for _, number in heard(*channels)), 30)


def test_a_follower_that_never_reads_is_given_up(
    web: Web, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response, "TAKEN_WITHIN_S", 0.5)
    hand.job("job")
    run = hand.run("job")
    written(hand, run, b"x")
    host, port = web.url.removeprefix("http://").split(":")
    with socket.socket() as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.connect((host, int(port)))
        path = f"/api/v1/runs/{run}/output/stream"
        token = web.client.headers["Authorization"]
        asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n"
        idle.sendall(asked.encode())
        wait_until(lambda: hasattr(web.app.state, "jober_hub") and own_hub(web).followers == 1, 30)
        # Others go on meanwhile.
        with following(web.client, path) as told:
            assert next(told).type == "frame"

            def more() -> bool:
                written(hand, run, b"y" * 60_000)
                assert next(told).type == "frame"
                return own_hub(web).followers == 1

            wait_until(more, 60, "the one that reads is left alone")
    wait_until(lambda: own_hub(web).followers == 0, 30)


def test_streams_end_with_the_server(web: Web) -> None:
    app = create_app(web.jober)
    with ExitStack() as stack:
        server = stack.enter_context(ExitStack())
        url = server.enter_context(serving(app))
        headers = {"Authorization": web.client.headers["Authorization"]}
        client = stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=60))
        told = stack.enter_context(following(client, "/api/v1/events"))
        assert next(told).type == "snapshot"
        server.close()
        assert list(told) == []
        assert app.state.jober_hub.followers == 0


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with RedisServer(durable=True) as server:
        yield server


def test_while_redis_is_away_it_says_so_and_streams_go_on_with_nothing_missing(
    own_redis: RedisServer,
) -> None:
    with web_at(own_redis) as web:
        jober = web.jober
        hand = Hand(jober.store)
        hand.job("job")
        run = hand.run("job")
        written(hand, run, b"one")
        path = f"/api/v1/runs/{run}/output/stream"
        with (
            following(web.client, path) as output,
            following(web.client, "/api/v1/events", type=["job.paused"]) as events,
        ):
            assert bytes_of(next(output)) == b"one"
            assert next(events).type == "snapshot"
            psutil.Process(own_redis.pid).suspend()
            try:
                away = web.client.get("/api/v1/jobs", timeout=120)
                gone = next(events)
            finally:
                psutil.Process(own_redis.pid).resume()
            assert away.status_code == 503
            assert away.headers["Content-Type"] == "application/problem+json"
            assert int(away.headers["Retry-After"]) > 0
            written(hand, run, b"two", b"three")
            jober.pause("job")
            assert [bytes_of(next(output)) for _ in range(2)] == [b"two", b"three"]
            assert (gone.type, gone.data) == ("redis", {"up": False})
            assert next(events).data == {"up": True}
            assert next(events).data["job"] == "job"
