"""The files of the journal: what is written is read again; whatever bytes there are harm nobody."""

import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jober.output import Frame, Stream
from jober.run import Claim, Outcome, RunState, Work
from jober.store import Store
from jober.store.report import Finish, checked_report, report_of
from jober_worker.journal import Journal
from jober_worker.journal_file import (
    MAGIC,
    Entry,
    EntryOfLater,
    EntryUnreadable,
    JournalFile,
    JournalHeld,
    read_entry,
    read_records,
)
from jober_worker.replayer import Replayer, rest_of
from jober_worker.run_output import RunOutput, Unsent
from tests.store.hand import Hand

QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def claim(run: str = "job-m1", attempt: int = 1) -> Claim:
    work = Work(job="job", queue="default", data=b"", options="{}", trigger="manual", timeout=None)
    return Claim(id=run, attempt=attempt, work=work)


def entry(redis: str = "redis://here", **outcome: Any) -> Entry:
    ended = Outcome(state=RunState.FAILED, **outcome)
    return Entry(
        redis=redis,
        agent="host1-aaaaaa",
        report=report_of(Finish(claim=claim(), host="host1", outcome=ended, retry_in_s=1.5)),
        output=Unsent(begins_at=0, frames=(frame(7, b"end\n"),), file=(1, "host1", "/logs/1")),
    )


def frame(offset: int, data: bytes, seq: int = 0, at_ms: int = 5) -> Frame:
    return Frame(seq=seq, stream=Stream.STDOUT, at_ms=at_ms, offset=offset, data=data)


def written(folder: Path, *records: bytes) -> Path:
    """A file that an agent which is gone has left."""
    file = JournalFile.create(folder, "1-1")
    file.append(records)
    file.close()
    return file.path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    told = entry(exit_code=7, reason="exit code 7", return_value={"a": [1, "ä"]}, cpu_s=0.25,
                 rq_retry={"max": 3, "intervals": [1]}, traceback="Traceback …")  # fmt: skip
    path = written(tmp_path, told.to_bytes(), told.to_bytes())
    records, torn = read_records(path.read_bytes())
    assert [read_entry(record) for record in records] == [told, told]
    assert torn == 0
    assert path.stat().st_mode & 0o777 == 0o600


@given(cut=st.integers(min_value=0))
@QUIET
def test_a_file_that_is_torn_anywhere_has_all_that_was_whole(cut: int) -> None:
    records = [entry(exit_code=number).to_bytes() for number in range(4)]
    whole = MAGIC
    ends = []
    for record in records:
        whole += len(record).to_bytes(4, "little") + zlib.crc32(record).to_bytes(4, "little")
        whole += record
        ends.append(len(whole))
    cut %= len(whole)
    found, torn = read_records(whole[:cut])
    count = sum(end <= cut for end in ends)
    assert found == records[:count]
    begun = len(MAGIC) if cut >= len(MAGIC) else 0
    assert torn == cut - (ends[count - 1] if count else begun)


def test_a_record_that_the_disk_has_changed_is_none_and_ends_the_file(tmp_path: Path) -> None:
    first, second, third = (entry(exit_code=number).to_bytes() for number in (1, 2, 3))
    whole = written(tmp_path, first, second, third).read_bytes()
    at = whole.index(second) + len(second) // 2
    changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    assert read_records(whole) == ([first, second, third], 0)
    found, torn = read_records(changed)
    assert found == [first]
    assert torn == len(whole) - whole.index(first) - len(first)


INTEGERS = st.integers(-(2**63), 2**64 - 1)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.binary() | INTEGERS, inner),
    max_leaves=20,
)


@st.composite
def twisted(draw: st.DrawFn) -> bytes:
    """A record that is an entry, but for a field or two."""
    told = msgpack.unpackb(entry(exit_code=7, rq_retry={"max": 1, "intervals": [1]}).to_bytes())
    for _ in range(draw(st.integers(1, 2))):
        place = told
        while True:
            name = draw(st.sampled_from(sorted(place, key=repr)))
            if not (isinstance(place[name], dict) and place[name]) or draw(st.booleans()):
                break
            place = place[name]
        place[name] = draw(ANYTHING)
    message: bytes = msgpack.packb(told)
    return message


@given(records=st.lists(st.binary() | twisted() | ANYTHING.map(msgpack.packb), max_size=4),
       tail=st.binary())  # fmt: skip
@QUIET
def test_no_bytes_in_a_journal_harm_the_agent_or_leave_half_an_end_in_redis(
    store: Store, tmp_path: Path, records: list[bytes], tail: bytes
) -> None:
    replay_anything(store, tmp_path, records, tail)


def replay_anything(store: Store, folder: Path, records: list[bytes], tail: bytes) -> None:
    """Replay a file of such records, and see that it has left no half of an end."""
    store.connection.command("FLUSHALL")
    hand = Hand(store)
    hand.job()
    hand.agent()
    hand.run()
    hand.claim()
    told = [_of(store, record) for record in records]
    path = written(folder, *told)
    with path.open("ab") as file:
        file.write(tail)
    Replayer(store, folder).replay()
    run = store.runs.get("job-m1")
    assert run.state is RunState.RUNNING or run.ended_at_ms or run.retry_at_ms
    path.unlink(missing_ok=True)


def _of(store: Store, record: bytes) -> bytes:
    """The record as one of the fleet at this Redis."""
    try:
        told = msgpack.unpackb(record)
        if told["redis"] == "redis://here":
            told["redis"] = store.url
        message: bytes = msgpack.packb(told)
        return message
    except Exception:
        return record


@given(data=st.binary() | st.binary().map(lambda rest: MAGIC + rest))
@settings(max_examples=1000)
def test_any_bytes_are_read_as_records_and_what_is_none(data: bytes) -> None:
    records, torn = read_records(data)
    assert torn <= len(data)
    for record in records:
        with pytest.raises((EntryUnreadable, EntryOfLater)):
            read_entry(record)


def test_the_file_of_a_process_that_lives_is_left_to_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from jober_worker.journal_file import JournalFile\n"
        "file = JournalFile.create(Path(sys.argv[1]), '2-2'); print(file.path, flush=True)\n"
        "import os\nif os.fork() == 0: os.execvp('sleep', ['sleep', '60'])\n"
        "print('forked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        path = Path(process.stdout.readline().strip())
        process.stdout.readline()
        with pytest.raises(JournalHeld):
            JournalFile.take_over(path)
        process.kill()
        process.wait()
        # What it has started lives on, and holds nothing.
        JournalFile.take_over(path).remove()
        os.killpg(process.pid, 9)


def test_what_a_failing_disk_took_of_a_record_is_not_there_for_the_next(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from jober_worker.journal_file import JournalFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "file = JournalFile.create(Path(sys.argv[1]), '2-2'); file.append([b'first'])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "try: file.append([b'x' * 1000])\n"
        "except OSError as error: print(error.strerror)\n"
        "file.append([b'third'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "File too large\n"
    [path] = tmp_path.iterdir()
    assert read_records(path.read_bytes()) == ([b"first", b"third"], 0)


def test_a_journal_holds_no_more_than_its_bound_and_begins_anew_without_what_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "redis://:secret@here", "host1-aaaaaa")

    def ended(run: str) -> None:
        output = RunOutput(run, True, lambda output, due: None, lambda: 0)
        outcome = Outcome(state=RunState.FAILED, reason="x" * 1000)
        journal.expect(Finish(claim=claim(run), host="host1", outcome=outcome), output)
        journal.flush()

    def kept() -> list[str]:
        [path] = tmp_path.iterdir()
        entries = [read_entry(record) for record in read_records(path.read_bytes())[0]]
        assert {entry.redis for entry in entries} == {"redis://***@here"}
        return [entry.report["id"] for entry in entries]

    ended("a")
    ended("b")
    assert (kept(), journal.problem) == (["a", "b"], "")
    # There is room for no third one.
    [path] = tmp_path.iterdir()
    monkeypatch.setattr("jober_worker.journal.BYTES_AT_MOST", path.stat().st_size + 100)
    ended("c")
    assert "it would hold more than" in journal.problem
    assert kept() == ["a", "b"]
    journal.reported(["a:1"])
    journal.flush()
    assert (kept(), journal.problem) == (["b", "c"], "")
    for lease in ("b:1", "c:1"):
        journal.reported([lease])
    journal.part.start()
    journal.stop()
    assert list(tmp_path.iterdir()) == []


def test_of_an_output_only_what_redis_lacks_is_told_again() -> None:
    frames = (frame(0, b"abc"), frame(3, b"def"), frame(10, b"xyz"))
    told = Entry(
        redis="r", agent="a", report={}, output=Unsent(begins_at=0, frames=frames)
    )  # fmt: skip
    assert rest_of(told, None) == (
        (frame(0, b"abc", 1), frame(3, b"def", 2), frame(10, b"xyz", 3)),
        0,
    )
    assert rest_of(told, frame(2, b"cd", 4)) == ((frame(4, b"ef", 5), frame(10, b"xyz", 6)), 0)
    assert rest_of(told, frame(10, b"xyz", 9)) == ((), 0)


def test_an_output_that_never_met_redis_goes_on_after_that_of_earlier_attempts() -> None:
    told = Entry(
        redis="r", agent="a", report={}, output=Unsent(begins_at=None, frames=(frame(0, b"abc"),))
    )
    earlier = frame(20, b"earlier", 3, at_ms=4)
    assert rest_of(told, earlier) == ((frame(27, b"abc", 4),), 27)
    # A replay that died after this: it is not told twice.
    assert rest_of(told, frame(27, b"abc", 4)) == ((), 30)


@pytest.mark.parametrize("state", ["running", "missed", "poisoned", "nonsense", "", None, ["lost"]])
def test_an_end_that_no_agent_reports_is_none(state: object) -> None:
    report = entry().report
    report["outcome"]["state"] = state
    with pytest.raises((ValueError, TypeError)):
        checked_report(report)
