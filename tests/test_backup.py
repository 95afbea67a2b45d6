"""The file of a backup: what is written is read; what was cut, changed or made up is refused."""

import gzip
import hashlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.agent_info import HostOrders
from jober.backup import (
    FORMAT,
    BackupReader,
    BackupWriter,
    CalendarEntry,
    Entry,
    Header,
    HostEntry,
    JobEntry,
    LimitEntry,
    RunEntry,
    Standing,
)
from jober.errors import BackupError, DefinitionError, JoberError
from jober.schedule import Calendar

STANDING = Standing(
    revision=3,
    paused=True,
    cursor_ms=1_795_222_800_000,
    anchor_ms=1_795_000_000_000,
    fires=7,
    placed=("db1", "db2.example.org"),
    created_at_ms=1_794_000_000_000,
    updated_at_ms=1_795_000_000_123,
)
ENTRIES: tuple[Entry, ...] = (
    CalendarEntry(calendar=Calendar.from_spec("holidays", ["2026-12-25"])),
    LimitEntry(name="database", slots=3),
    HostEntry(host="db1", orders=HostOrders(cordoned=True)),
    HostEntry(host="db2", orders=HostOrders(roles=frozenset({"db", "web"}))),
    JobEntry(
        name="nightly",
        definition={"command": "kopia zażółć", "every": "1h"},
        standing=STANDING,
        former={1: {"command": "true"}, 2: {"command": "false"}},
        ledger=(
            ("1795222800000-0", {"decision": "missed", "fire_at": "2026-11-21T01:00:00.000000Z"}),
        ),
    ),
    RunEntry(
        id="nightly-20261121T010000Z",
        made_at_ms=1_795_222_800_001,
        record={
            "job": "nightly",
            "state": "failed",
            "origin": "default",
            "ended_at": "2026-11-21T01:00:01.000000Z",
            "traceback": "not UTF-8: \udcff",
        },
        attempts=('{"attempt": 1}',),
    ),
    RunEntry(
        id="_-m01m807ktatsnm7ve3epg8rsagp",
        made_at_ms=1_795_222_800_002,
        record={
            "job": "_",
            "state": "success",
            "origin": "default",
            "ended_at": "2026-11-21T01:00:02.000000Z",
        },
        attempts=(),
    ),
)
NONE = {"runs_going_on": 0, "rq_jobs": 0}


def written(*entries: Entry) -> bytes:
    stream = io.BytesIO()
    writer = BackupWriter(stream, Header(version="0.1.0", at_ms=1_795_222_900_000, history=True))
    for entry in entries or ENTRIES:
        writer.write(entry)
    writer.end({"runs_going_on": 2})
    return stream.getvalue()


def read(data: bytes) -> list[Entry]:
    return [line.entry for line in BackupReader(io.BytesIO(data), "a.jsonl").lines()]


def refused(data: bytes) -> str:
    with pytest.raises((BackupError, DefinitionError)) as error:
        read(data)
    assert "\n" not in str(error.value)
    return str(error.value)


def ended(*lines: bytes) -> bytes:
    """A backup of these lines, as if they had been written so."""
    body = b"".join(lines)
    digest = hashlib.sha256(body).hexdigest()
    end = {"end": {"lines": len(lines), "sha256": digest, "counts": {}, "left_out": NONE}}
    return body + json.dumps(end).encode() + b"\n"


def test_what_is_written_is_read_again() -> None:
    reader = BackupReader(io.BytesIO(written()), "a.jsonl")
    assert reader.header == Header(version="0.1.0", at_ms=1_795_222_900_000, history=True)
    assert tuple(line.entry for line in reader.lines()) == ENTRIES
    assert reader.left_out == {"runs_going_on": 2, "rq_jobs": 0}
    assert reader.counts == {"calendar": 1, "limit": 1, "host": 2, "job": 1, "run": 2}
    assert tuple(line.entry for line in reader.lines()) == ENTRIES


def test_a_person_can_read_it() -> None:
    lines = written().decode().splitlines()
    assert lines[0].startswith('{"backup": "jober", "format": 1, "version": "0.1.0", "at": "2026-')
    assert lines[2] == '{"limit": "database", "slots": 3}'
    assert "kopia zażółć" in lines[5]


def test_a_compressed_one_is_read_whatever_its_name() -> None:
    assert tuple(read(gzip.compress(written()))) == ENTRIES


def test_one_that_was_cut_anywhere_is_refused() -> None:
    for data in (written(), gzip.compress(written())):
        for end in range(0, len(data), 7):
            assert refused(data[:end]).startswith("a.jsonl:")
    lines = written().splitlines(keepends=True)
    assert "its last line is missing" in refused(b"".join(lines[:-1]))
    assert "it has 7 lines, and had 8" in refused(b"".join([*lines[:3], *lines[4:]]))
    assert "there is more after its end" in refused(written() + lines[1])


def test_one_that_was_changed_is_refused() -> None:
    changed = written().replace(b'"slots": 3', b'"slots": 4')
    assert "it was changed: its SHA-256 is another" in refused(changed)


def test_one_of_a_later_format_names_the_version_to_install() -> None:
    header = written().splitlines(keepends=True)[0]
    later = header.replace(f'"format": {FORMAT}'.encode(), b'"format": 99').replace(
        b"0.1.0", b"7.5.0"
    )
    told = refused(later)
    assert told == (
        "a.jsonl:1: it has format 99, of jober 7.5.0; this one knows formats up to 1 "
        "(install that version or a later one, and restore with it)"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"limit": "database"}', "limit: 'slots' is missing"),
        (b'{"limit": "database", "slots": -1}', "limit: slots is not a whole number, 0 or more"),
        (b'{"limit": "database", "slots": 1, "x": 2}', "limit: 'x' is not known in it"),
        (b'{"limit": "a b", "slots": 1}', "'a b' is not the name of a limit"),
        (b'{"host": "db1", "cordoned": 1, "roles": null}', "cordoned is not true or false"),
        (b'{"calendar": "h", "spec": {"dates": ["x"]}}', "calendars.h.dates[0]"),
        (b'{"thing": 1}', "'thing' is no kind of line"),
        (b"[1]", "this is not an object"),
        (b"{", "this is not JSON"),
        (b'{"limit": NaN}', "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
    ],
)
def test_a_line_that_is_wrong_is_told_with_its_number(line: bytes, told: str) -> None:
    header = written().splitlines(keepends=True)[0]
    problem = refused(ended(header, line + b"\n"))
    assert problem.startswith("a.jsonl:2: ")
    assert told in problem


def test_a_run_that_goes_on_has_no_place_in_it() -> None:
    entry = ENTRIES[5]
    assert isinstance(entry, RunEntry)
    going_on = RunEntry(
        id=entry.id, made_at_ms=1, record={**entry.record, "state": "running"}, attempts=()
    )
    assert "'running' is not the end of a run" in refused(written(going_on))


def test_decisions_out_of_order_are_refused() -> None:
    entry = ENTRIES[4]
    assert isinstance(entry, JobEntry)
    twice = JobEntry(
        name="nightly",
        definition={},
        standing=STANDING,
        former={},
        ledger=entry.ledger * 2,
    )
    assert "not in order" in refused(written(twice))


@given(st.binary(max_size=300))
def test_any_bytes_get_a_clear_error(data: bytes) -> None:
    with pytest.raises(JoberError):
        read(data)
    with pytest.raises(JoberError):
        read(b"\x1f\x8b" + data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=10,
)
_LINES = [json.loads(line) for line in written().splitlines()[1:-1]]


@given(st.sampled_from(_LINES), st.data())
def test_any_value_in_any_member_is_read_or_gets_a_clear_error(
    line: dict[str, object], data: st.DataObject
) -> None:
    changed = json.loads(json.dumps(line))
    place = changed
    while True:
        name = data.draw(st.sampled_from(sorted(place)))
        inner = place[name]
        if not isinstance(inner, dict) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[name] = data.draw(_JSON)
    header = written().splitlines(keepends=True)[0]
    try:
        entries = read(ended(header, json.dumps(changed).encode() + b"\n"))
    except (BackupError, DefinitionError):
        return
    assert len(entries) == 1
