"""Output on its way to Redis: at once, in order, within its caps, and never waited for."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from jober.output import End, Frame, Stream, Truncated, frame_cost
from jober.store import Store
from jober.store.outputs import HEAD_BYTES, TAIL_BYTES
from jober_worker import pump as pump_module
from jober_worker import run_output as run_output_module
from jober_worker.pump import BATCH_BYTES, Pump
from jober_worker.run_output import FRAME_BYTES, RunOutput
from tests.waiting import wait_until


@pytest.fixture
def pump(store: Store) -> Iterator[Pump]:
    pump = Pump(store)
    pump.part.start()
    yield pump
    pump.stop()


def drained(output: RunOutput, within: float = 15.0) -> None:
    done = threading.Event()
    output.close(done.set)
    assert done.wait(within), "not all of the output is in Redis"


def frames(store: Store, run: str) -> list[Frame]:
    return list(store.outputs.read(run))


def data(store: Store, run: str) -> bytes:
    return b"".join(frame.data for frame in store.outputs.read(run))


def memory(store: Store, run: str) -> int:
    """What the log of a run takes in Redis."""
    return int(store.connection.command("MEMORY", "USAGE", f"jober:out:{run}:log", "SAMPLES", 0))


def test_the_first_frame_is_sent_at_once(
    store: Store, pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What comes after another would wait for longer than we do.
    monkeypatch.setattr("jober_worker.run_output.FLUSH_S", 40.0)
    output = pump.output("a", 1)
    output.write(Stream.STDOUT, b"first")
    wait_until(lambda: frames(store, "a"), 20)


def test_what_is_written_soon_after_one_another_travels_in_one_frame(
    store: Store, pump: Pump
) -> None:
    output = pump.output("a", 1)
    output.write(Stream.STDOUT, b"first\n")
    wait_until(lambda: frames(store, "a"))
    for n in range(100):
        output.write(Stream.STDOUT, f"{n}\n".encode())
    wait_until(lambda: len(data(store, "a")) > 100)
    drained(output)
    found = frames(store, "a")
    assert 2 <= len(found) <= 4
    assert b"".join(f.data for f in found) == b"first\n" + b"".join(b"%d\n" % n for n in range(100))


def test_a_frame_is_full_at_32_kib_and_does_not_wait(store: Store, pump: Pump) -> None:
    output = pump.output("a", 1)
    output.write(Stream.STDOUT, os.urandom(200_000))
    drained(output)
    sizes = [len(frame.data) for frame in frames(store, "a")]
    assert sum(sizes) == 200_000
    assert max(sizes) == FRAME_BYTES


def test_what_fits_into_a_frame_is_not_split(store: Store, pump: Pump) -> None:
    output = pump.output("a", 1)
    lines = [b"%05d %s\n" % (n, b"x" * 9_000) for n in range(20)]
    for line in lines:
        output.write(Stream.LOG, line)
    drained(output)
    assert data(store, "a") == b"".join(lines)
    assert all(frame.data.endswith(b"\n") for frame in frames(store, "a"))


def test_frames_are_numbered_without_a_gap_and_keep_their_stream(store: Store, pump: Pump) -> None:
    output = pump.output("a", 1)
    for n in range(300):
        output.write((Stream.STDOUT, Stream.STDERR)[n % 2], b"%d\n" % n)
    drained(output)
    found = frames(store, "a")
    assert [frame.seq for frame in found] == list(range(1, len(found) + 1))
    assert [int(frame.data) for frame in found] == list(range(300))
    assert {f.stream for f in found[::2]} == {Stream.STDOUT}
    assert [f.offset for f in found[1:]] == [f.end for f in found[:-1]]
    assert output.last_seq == 300


def test_many_runs_share_the_pump_and_none_gets_the_output_of_another(
    store: Store, pump: Pump
) -> None:
    outputs = [pump.output(f"run-{n}", 1) for n in range(50)]
    for turn in range(20):
        for n, output in enumerate(outputs):
            output.write(Stream.STDOUT, b"%d:%d\n" % (n, turn))
    for output in outputs:
        drained(output)
    for n in range(50):
        assert data(store, f"run-{n}") == b"".join(b"%d:%d\n" % (n, turn) for turn in range(20))


def test_a_later_attempt_goes_on_in_the_same_log(store: Store, pump: Pump) -> None:
    first = pump.output("a", 1)
    first.write(Stream.STDOUT, b"first")
    drained(first)
    second = pump.output("a", 2)
    second.write(Stream.STDOUT, b"second")
    drained(second)
    assert [(frame.seq, frame.data) for frame in frames(store, "a")] == [
        (1, b"first"),
        (2, b"second"),
    ]
    assert second.last_seq == 2


def test_all_attempts_of_a_run_share_its_caps_and_count_their_bytes_on(
    store: Store, pump: Pump
) -> None:
    for attempt in (1, 2, 3):
        output = pump.output("a", attempt)
        output.write(Stream.STDOUT, bytes([attempt]) * 700_000)
        drained(output)
    assert memory(store, "a") < 1_000_000
    found = frames(store, "a")
    assert [frame.offset // 700_000 + 1 for frame in found] == [frame.data[0] for frame in found]
    assert found[0].offset == 0 and found[-1].end == 2_100_000


def test_a_flood_is_told_to_followers_at_a_bounded_rate(
    store: Store, pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_output_module, "BYTES_PER_S", 1_000_000)
    output = pump.output("a", 1)
    began = time.monotonic()
    while (took := time.monotonic() - began) < 1.0:
        output.write(Stream.STDOUT, b"x" * 65_536)
    sent = store.outputs.last_seq("a") * FRAME_BYTES
    # What came first was sent at once, and as much may be on its way.
    assert sent < took * 1_000_000 + 2 * BATCH_BYTES
    drained(output)


def test_of_twenty_megabytes_the_beginning_and_the_end_are_kept_and_a_follower_is_told(
    store: Store, pump: Pump
) -> None:
    output = pump.output("a", 1)
    whole = os.urandom(1_000_003) * 20
    for start in range(0, len(whole), 65_536):
        output.write(Stream.STDOUT, whole[start : start + 65_536])
    drained(output)
    kept = frames(store, "a")
    head = b"".join(frame.data for frame in kept if frame.offset < 1_000_000)
    tail = b"".join(frame.data for frame in kept if frame.offset >= 1_000_000)
    assert len(head) > HEAD_BYTES - FRAME_BYTES and whole.startswith(head)
    assert len(tail) > TAIL_BYTES - 3 * FRAME_BYTES and whole.endswith(tail)
    assert memory(store, "a") < 1_000_000
    store.connection.command("HSET", "rq:job:a", "state", "success", "exit_code", "0")
    told = list(store.outputs.follow("a"))
    [mark] = [one for one in told if isinstance(one, Truncated)]
    assert mark.dropped == len(whole) - len(head) - len(tail)
    assert isinstance(told[-1], End)


def test_redis_keeps_no_more_though_it_keeps_up_with_the_writer(store: Store, pump: Pump) -> None:
    output = pump.output("a", 1)
    for n in range(1, 17):
        output.write(Stream.STDOUT, os.urandom(8 * FRAME_BYTES))
        wait_until(lambda n=n: store.outputs.last_seq("a") == 8 * n)  # type: ignore[misc]
    drained(output)
    kept = [frame.seq for frame in frames(store, "a")]
    cost = frame_cost(FRAME_BYTES)
    head, tail = -(-HEAD_BYTES // cost), TAIL_BYTES // cost
    assert kept == [*range(1, head + 1), *range(128 - tail + 1, 129)]


def test_tiny_pieces_to_both_streams_in_turn_are_bounded_and_cut_as_well(
    store: Store, pump: Pump
) -> None:
    output = pump.output("a", 1)
    for n in range(60_000):
        output.write((Stream.STDOUT, Stream.STDERR)[n % 2], b"x")
    output.write(Stream.STDOUT, b"y" * TAIL_BYTES)
    drained(output)
    kept = frames(store, "a")
    assert memory(store, "a") < 1_000_000
    assert kept[0].offset == 0
    assert data(store, "a").endswith(b"y" * (TAIL_BYTES - 3 * FRAME_BYTES))


def test_a_writer_never_waits_for_redis_and_output_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis", durable=True) as server:
        store = Store(server.url)
        pump = Pump(store)
        pump.part.start()
        output = pump.output("a", 1)
        output.write(Stream.STDOUT, b"before\n")
        wait_until(lambda: frames(store, "a"))
        # The file is synced each second.
        wait_until(lambda: b"before" in b"".join(f.read_bytes() for f in _append_only(server)))
        server.kill()
        slowest = 0.0
        for n in range(1000):
            began = time.monotonic()
            output.write(Stream.STDOUT, b"%d\n" % n)
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 0.1
        server.start()
        drained(output)
        assert data(store, "a") == b"before\n" + b"".join(b"%d\n" % n for n in range(1000))
        found = frames(store, "a")
        assert [frame.seq for frame in found] == list(range(1, len(found) + 1))
        pump.stop()
        store.close()


def _append_only(server: RedisServer) -> list[Path]:
    return [path for path in server.folder.rglob("*") if path.is_file() and "aof" in path.name]


def test_what_waits_for_redis_is_bounded(store: Store) -> None:
    pump = Pump(store)  # not started: nothing is sent
    output = pump.output("a", 1)
    before = _resident()
    block = b"x" * 65_536
    for _ in range(200_000_000 // len(block)):
        output.write(Stream.STDOUT, block)
    for n in range(100_000):
        output.write((Stream.STDOUT, Stream.STDERR)[n % 2], b"x")
    assert _resident() - before < 30_000_000
    pump.part.start()
    drained(output)
    assert data(store, "a").endswith(b"x")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_piece_that_redis_refuses_holds_up_no_other_run_and_not_its_own_end(
    store: Store, pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "RETRY_S", 0.02)
    monkeypatch.setattr(pump_module, "REFUSALS", 10)
    # Somebody has written a text where the log is to be.
    store.connection.command("SET", "jober:out:bad:log", "text")
    bad, good, bad_again = pump.output("bad", 1), pump.output("good", 1), pump.output("bad", 2)
    bad.write(Stream.STDOUT, b"refused")
    bad_again.write(Stream.STDOUT, b"refused")
    good.write(Stream.STDOUT, b"taken")
    wait_until(lambda: data(store, "good") == b"taken")
    drained(bad)
    drained(bad_again)
    drained(good)
