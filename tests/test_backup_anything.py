"""Whatever a backup says, as if it had been written so: it is refused, and nothing is written; or
it is restored, and all that was restored can be read."""

import io
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jober import Jober
from jober.backup import BackupReader
from jober.client.backup import Restoring
from jober.clock import iso
from jober.embedded import RedisServer
from jober.errors import JoberError
from jober.store import Store
from tests.test_backup import ended, written

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["\ud800", "\udcff", "0", "-1", "1e400", "9" * 400, "[]", "{}", "9999-12-31"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=10,
)


def changed(line: dict[str, Any], draw: st.DataObject) -> dict[str, Any]:
    """The line with anything in one of its members, or with one more, at any depth."""
    copy: dict[str, Any] = json.loads(json.dumps(line))
    place = copy
    while True:
        name = draw.draw(st.sampled_from([*sorted(place), "other"]))
        inner = place.get(name)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            inner = inner[0]
        if not isinstance(inner, dict) or not inner or draw.draw(st.booleans()):
            break
        place = inner
    place[name] = draw.draw(ANYTHING)
    return copy


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(draw=st.data())
def test_any_value_is_refused_whole_or_restored_to_be_read(
    redis_server: RedisServer, store: Store, draw: st.DataObject
) -> None:
    restore_anything(store, draw)


def restore_anything(store: Store, draw: st.DataObject) -> None:
    """Restore a backup with anything in a member of a line."""
    store.connection.command("FLUSHALL")
    header, *raw, _ = written().splitlines(keepends=True)
    lines = [json.loads(line) for line in raw]
    fresh = iso(store.clock.now_ms())
    assert fresh is not None
    lines[-1]["record"]["ended_at"] = fresh[:-1] + "000Z"
    place = draw.draw(st.integers(0, len(lines) - 1))
    lines[place] = changed(lines[place], draw)
    data = ended(header, *(json.dumps(line).encode() + b"\n" for line in lines))
    with Jober(store.url) as jober:
        try:
            restoring = Restoring(
                store,
                BackupReader(io.BytesIO(data), "a.jsonl"),
                replace=False,
                history=True,
                progress=lambda doing, number: None,
            )
            restoring.check()
        except JoberError:
            assert store.connection.command("DBSIZE") == 0
            return
        restoring.carry_out()
        assert jober.store.calendars.all() and jober.limits() and store.agents.orders()
        for record in jober.jobs():
            json.dumps(record.to_dict())
            jober.ledger(record.name)
            jober.why(record.name)
            for revision in range(4):
                store.former.at(record.name, revision)
        for run in jober.runs():
            json.dumps(run.to_dict())
            store.runs.attempts(run.id)
