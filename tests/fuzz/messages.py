"""What stands in Redis, or is published there, for those who follow and list runs: whatever it is,
what can be read of it is told, or it is refused in words."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
from hypothesis import strategies as st

from jober.client import RunHandle
from jober.errors import JoberError
from jober.output import End
from jober.store import keys
from tests.fuzz.agents import FIELD, RECORD
from tests.fuzz.anything import VALUE
from tests.fuzz.seeded import RUNS, Seeded, seeded
from tests.fuzz.target import Check, Target


def _packed(value: Any) -> bytes:
    message: bytes = msgpack.packb(json.loads(json.dumps(value, default=repr)[:10_000]))
    return message


def _may_be_packed(value: Any) -> bytes:
    try:
        return _packed(value)
    except (ValueError, OverflowError):
        return b"\xc1"


MESSAGES = st.binary(max_size=40) | st.one_of(
    VALUE,
    st.tuples(st.just("end"), VALUE, VALUE, VALUE),
    st.tuples(st.just("progress"), VALUE),
    st.tuples(st.just("frame"), st.integers(), st.just("stdout"), VALUE, VALUE, VALUE),
).map(_may_be_packed)  # fmt: skip
# The fields of a record that its readers show.
SHOWN = (
    "state", "status", "exit_code", "started_at", "ended_at", "cpu_s", "peak_memory_bytes",
    "progress", "log_files", "attempt",
)  # fmt: skip
ENTRIES = st.dictionaries(
    st.sampled_from([b"stream", b"at", b"offset", b"data", b"x"]),
    FIELD | st.just(b"stdout") | st.just(b"1"),
    min_size=1,
)


def read_all(state: Seeded, run: str) -> None:
    """All that people read of a run; a refusal in words is an answer."""
    handle, store = RunHandle(state.jober, run), state.jober.store
    reads = (
        lambda: handle.run.to_dict(),
        lambda: handle.attempts,
        lambda: handle.output.bytes(),
        lambda: handle.logs,
        lambda: list(store.outputs.read_back(run)),
        lambda: store.outputs.is_kept(run),
        lambda: state.jober.runs(),
        lambda: list(handle.output.frames(timeout=0)),
    )
    for read in reads:
        try:
            read()
        except JoberError as error:
            assert str(error).strip()


@contextmanager
def _records(folder: Path) -> Iterator[Check]:
    """Fields of a record, and entries of a log, that are anything."""
    with seeded() as state:
        redis: Any = state.jober.store.connection.client

        def check(case: tuple[dict[str, bytes], list[dict[bytes, bytes]], bool]) -> None:
            record, entries, alone = case
            state.seed()
            if alone:
                redis.delete(keys.rq_job(RUNS[0]))
            redis.hset(keys.rq_job(RUNS[0]), mapping=record)
            for entry in entries:
                redis.xadd(keys.out_log(RUNS[0]), entry)
            read_all(state, RUNS[0])

        yield check


@contextmanager
def _messages(folder: Path) -> Iterator[Check]:
    """A follower of a run that goes on hears anything, and then its end."""
    with seeded() as state:
        store = state.jober.store
        redis: Any = store.connection.client
        run = RUNS[1]

        def check(messages: list[bytes]) -> None:
            told: list[object] = []
            failures: list[BaseException] = []
            begun = threading.Event()

            def follow() -> None:
                try:
                    for one in store.outputs.follow(run, timeout_s=60):
                        told.append(one)
                except BaseException as error:
                    failures.append(error)

            follower = threading.Thread(target=follow)
            follower.start()
            while not redis.pubsub_numsub(keys.out(run))[0][1]:
                begun.wait(0.001)
            for message in messages:
                redis.publish(keys.out(run), message)
            redis.publish(keys.out(run), msgpack.packb(["end", "success", 0, 0]))
            follower.join()
            assert not failures, failures[0]
            assert isinstance(told[-1], End)

        yield check


TARGETS = (
    Target(
        name="records of runs",
        cases=3_000,
        few=30,
        given=st.tuples(
            RECORD | st.dictionaries(st.sampled_from(SHOWN), FIELD, min_size=1),
            st.lists(ENTRIES, max_size=3),
            st.booleans(),
        ),
        open=_records,
    ),
    Target(
        name="messages to followers",
        cases=5_000,
        few=50,
        given=st.lists(MESSAGES, min_size=10, max_size=20),
        open=_messages,
        batch=20,
    ),
)  # fmt: skip
