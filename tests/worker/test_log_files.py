"""The files of whole logs: in parts, cut in the middle, swept, and never in the way of a run."""

import os
import resource
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.output import Stream
from jober_worker import log_writer as log_writer_module
from jober_worker.log_folder import LogFolder, NoLog
from jober_worker.log_writer import LogWriter
from tests.waiting import wait_until

STREAMS = {1: Stream.STDOUT, 2: Stream.STDERR}


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "logs")


class Writer:
    """A writer whose clock counts a second with each look, and what it failed with."""

    def __init__(self, folder: LogFolder, run: str = "a", attempt: int = 1) -> None:
        self.problems: list[str] = []
        clock = count(1_000_000, 1000)
        self.log = LogWriter(folder, run, attempt, self.problems.append, lambda: next(clock))
        self.log.start()

    def written(self, *pieces: tuple[Stream, bytes]) -> "Writer":
        for stream, data in pieces:
            self.log.write(stream, data)
        self.log.end()
        return self


def read(
    folder: LogFolder, limit: int = 1000, attempt: int = 1
) -> Iterator[tuple[int, str, bytes]]:
    at = 0
    while spans := folder.read("a", attempt, at, limit, 3):
        for span in spans:
            yield span.offset, str(span.stream), span.data
            at = span.offset + len(span.data)


def end(folder: LogFolder) -> int:
    return max((part.end for part in folder.parts("a", 1)), default=0)


def by_stream(folder: LogFolder, limit: int) -> dict[str, bytes]:
    found = dict.fromkeys(("stdout", "stderr"), b"")
    for _, stream, data in read(folder, limit):
        found[stream] += data
    return found


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=40)), max_size=30),
    st.integers(1, 100),
)
def test_each_byte_is_read_back_as_that_of_its_stream(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, bytes]], limit: int
) -> None:
    folder = LogFolder(tmp_path_factory.mktemp("logs"))
    told = [(STREAMS[number], data) for number, data in pieces]
    assert not Writer(folder).written(*told).problems
    found = by_stream(folder, limit)
    for stream in STREAMS.values():
        assert found[stream] == b"".join(data for one, data in told if one is stream)
    whole = b"".join(data for _, _, data in read(folder, limit))
    assert whole == b"".join(data for _, data in told)


def test_log_records_are_read_in_whole_lines(folder: LogFolder) -> None:
    lines = [b'{"message": "%d"}\n' % n for n in range(20)]
    Writer(folder).written((Stream.STDOUT, b"out"), *((Stream.LOG, line) for line in lines))
    pieces = [data for _, stream, data in read(folder, limit=50) if stream == "log"]
    assert b"".join(pieces) == b"".join(lines)
    assert all(piece.endswith(b"\n") for piece in pieces)


def test_of_many_parts_the_first_and_the_newest_stay_and_the_cut_is_told(
    folder: LogFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer_module, "PART_BYTES", 1000)
    monkeypatch.setattr(log_writer_module, "PARTS", 3)
    writer = Writer(folder)
    for n in range(8):
        writer.log.write(Stream.STDOUT, bytes([n]) * 1000)
        wait_until(lambda n=n: end(folder) == (n + 1) * 1000)  # type: ignore[misc]
    writer.log.end()
    assert [part.start for part in folder.parts("a", 1)] == [0, 6000, 7000]
    assert [(offset, data[0]) for offset, _, data in read(folder)] == [(0, 0), (6000, 6), (7000, 7)]
    names = sorted(path.name for path in folder.of_run("a").iterdir())
    assert names[2] == "1-000000000001000.cut"
    mark = (folder.of_run("a") / names[2]).read_text()
    assert mark == "[... 5000 bytes truncated ...]\n"


def test_attempts_are_kept_apart_and_one_that_comes_again_takes_the_place(
    folder: LogFolder,
) -> None:
    Writer(folder).written((Stream.STDOUT, b"first"))
    Writer(folder, attempt=2).written((Stream.STDOUT, b"second"))
    Writer(folder).written((Stream.STDERR, b"anew"))
    assert folder.attempts("a") == [1, 2]
    assert list(read(folder)) == [(0, "stderr", b"anew")]
    assert list(read(folder, attempt=2)) == [(0, "stdout", b"second")]


def test_a_disk_that_takes_no_more_is_told_once_and_holds_up_nothing(folder: LogFolder) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        writer = Writer(folder)
        for _ in range(100):
            writer.log.write(Stream.STDOUT, b"x" * 100_000)
        writer.log.end()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert writer.problems == [f"File too large ({folder.of_run('a')})"]
    assert end(folder) == 1_000_000


def test_a_disk_that_hangs_is_given_up(folder: LogFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer_module, "STUCK_S", 0.1)
    hanging, goes_on = threading.Event(), threading.Event()
    writev = os.writev

    def hang(*arguments: object) -> int:
        hanging.set()
        goes_on.wait(20)
        return writev(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "writev", hang)
    writer = Writer(folder)
    began = time.monotonic()
    for _ in range(100):
        writer.log.write(Stream.STDOUT, b"x" * 100_000)
    writer.log.end()
    assert hanging.is_set() and time.monotonic() - began < 10
    assert writer.problems == [f"the disk has taken nothing for 0.1 s ({folder.of_run('a')})"]
    goes_on.set()


def test_old_logs_go_and_then_the_oldest_until_the_rest_fits(folder: LogFolder) -> None:
    for age_s, run in enumerate(("new", "newer", "older", "old")):
        Writer(folder, run).written((Stream.STDOUT, b"x" * 1000))
        for path in (*folder.of_run(run).iterdir(), folder.of_run(run)):
            os.utime(path, (1000 - age_s * 100, 1000 - age_s * 100))
    assert folder.sweep(keep_s=350, total_bytes=10_000, now_s=1060) == 1
    assert sorted(os.listdir(folder.path)) == ["new", "newer", "older"]
    assert folder.sweep(keep_s=350, total_bytes=2_500, now_s=1060) == 1
    assert sorted(os.listdir(folder.path)) == ["new", "newer"]


def test_a_log_that_is_written_is_swept_by_nobody(folder: LogFolder) -> None:
    writer = Writer(folder)
    writer.log.write(Stream.STDOUT, b"going on")
    wait_until(lambda: end(folder) == 8)
    assert LogFolder(folder.path).sweep(keep_s=0, total_bytes=0, now_s=1e12) == 0
    writer.log.end()
    assert LogFolder(folder.path).sweep(keep_s=0, total_bytes=0, now_s=1e12) == 1


def test_a_link_in_the_place_of_a_log_is_not_followed(folder: LogFolder, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("secret")
    Writer(folder).written((Stream.STDOUT, b"x"))
    [part] = folder.parts("a", 1)
    part.path.unlink()
    part.path.symlink_to(tmp_path / "passwd")
    with pytest.raises(OSError):
        folder.read("a", 1, 0, 100, 10)
    with pytest.raises(NoLog):
        folder.of_run("../a")
