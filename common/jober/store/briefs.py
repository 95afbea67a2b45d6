"""Runs in brief: of very many of them, as few fields as tables and plots take."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from jober.event import BAD
from jober.run import RunBrief
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import moment_ms, number, readable, text
from jober.store.run_record import read_state, seconds

_FIELDS = (
    *("state", "status", "host", "started_at", "ended_at"),
    *("exit_code", "cpu_s", "peak_memory_bytes"),
)
# So many of the newest runs are looked at for those that have ended badly.
LOOKED_AT = 2000


class BriefStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def newest(self, jobs: Sequence[str], n: int) -> dict[str, list[RunBrief]]:
        """The newest `n` runs of each of these jobs, the oldest of them first: two round trips,
        however many jobs there are."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for job in jobs:
                pipeline.zrevrange(keys.runs(job), 0, n - 1)
            found = [[id.decode() for id in ids] for ids in pipeline.execute()] if jobs else []
        briefs = self.of(chain.from_iterable(found))
        return {
            job: [briefs[id] for id in reversed(ids) if id in briefs]
            for job, ids in zip(jobs, found, strict=True)
        }

    def of(self, ids: Iterable[str]) -> dict[str, RunBrief]:
        """The runs among these ids whose records are still there."""
        wanted = list(ids)
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in wanted:
                pipeline.hmget(keys.rq_job(id), *_FIELDS)
            records = pipeline.execute() if wanted else []
        return {
            id: _brief(id, dict(zip(_FIELDS, fields, strict=True)))
            for id, fields in zip(wanted, records, strict=True)
            if fields[1] is not None
        }

    def bad_since(self, since_ms: int, limit: int) -> tuple[list[str], int, int]:
        """The newest runs made since a moment that have ended badly, `limit` of them at the most;
        how many there are, and how far back runs were looked at (ms)."""
        with self._redis.guard():
            found: Any = self._redis.client.zrevrange(keys.RUNS, 0, LOOKED_AT - 1, withscores=True)
            made = [(id.decode(), int(at)) for id, at in found if at >= since_ms]
            pipeline = self._redis.client.pipeline(transaction=False)
            for id, _ in made:
                pipeline.hget(keys.rq_job(id), "state")
            states = pipeline.execute() if made else []
        bad = [id for (id, _), state in zip(made, states, strict=True) if text(state) in BAD]
        all_seen = len(found) < LOOKED_AT or len(made) < len(found)
        return bad[:limit], len(bad), since_ms if all_seen else made[-1][1]


def _brief(id: str, fields: dict[str, bytes | None]) -> RunBrief:
    return RunBrief(
        id=id,
        state=read_state(text(fields["state"]), text(fields["status"]) or "queued"),
        host=text(fields["host"]),
        started_at_ms=readable(moment_ms, fields["started_at"]),
        ended_at_ms=readable(moment_ms, fields["ended_at"]),
        exit_code=readable(number, fields["exit_code"]),
        cpu_s=readable(seconds, fields["cpu_s"]),
        peak_memory_bytes=readable(number, fields["peak_memory_bytes"]),
    )
