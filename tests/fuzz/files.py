"""What is read back from disks: journals that were torn, flipped or made up, and backups."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgpack
from hypothesis import strategies as st

from jober.embedded import RedisServer
from jober.store import Store
from jober_worker.journal_file import MAGIC, EntryUnreadable, read_entry, read_records
from tests.fuzz.target import Check, Target
from tests.fuzz.texts import plain
from tests.test_backup_anything import restore_anything
from tests.worker.test_journal_file import ANYTHING, entry, replay_anything, twisted

_RECORD = entry(exit_code=7).to_bytes()
WHOLE = MAGIC + 3 * (
    len(_RECORD).to_bytes(4, "little") + zlib.crc32(_RECORD).to_bytes(4, "little") + _RECORD
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A journal in which bits have flipped, cut somewhere, or with anything behind."""
    data = bytearray(WHOLE)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=20))


def read_journal(data: bytes) -> None:
    records, torn = read_records(data)
    assert 0 <= torn <= len(data)
    for record in records:
        try:
            read_entry(record)
        except EntryUnreadable as error:
            assert str(error)


def _on_store(check: Callable[[Store, Path, Any], None]) -> Callable[[Path], Any]:
    @contextmanager
    def open(folder: Path) -> Iterator[Check]:
        with RedisServer() as server:
            store = Store(server.url)
            store.observe_time()
            try:
                yield lambda case: check(store, folder, case)
            finally:
                store.close()

    return open


def _replay(store: Store, folder: Path, case: tuple[list[bytes], bytes]) -> None:
    for left in folder.glob("*"):
        left.unlink()
    replay_anything(store, folder, *case)


def _restore(store: Store, folder: Path, case: st.DataObject) -> None:
    restore_anything(store, case)


TARGETS = (
    Target(
        name="damaged journals",
        cases=10_000,
        few=100,
        given=damaged() | st.binary(max_size=100).map(lambda rest: MAGIC + rest),
        open=plain(read_journal),
    ),
    Target(
        name="journals replayed",
        cases=3_000,
        few=20,
        given=st.tuples(
            st.lists(st.binary() | twisted() | ANYTHING.map(msgpack.packb), max_size=4), st.binary()
        ),
        open=_on_store(_replay),
    ),
    Target(name="backups restored", cases=2_000, few=10, given=st.data(), open=_on_store(_restore)),
)
