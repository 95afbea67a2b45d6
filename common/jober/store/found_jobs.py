"""Jobs that are looked for among very many: a page of them at a time, and no more read than that
takes."""

import json
from collections.abc import Iterator, Sequence

from jober.job_filter import JobFilter
from jober.store import keys
from jober.store.connection import Connection

# Names are read so many at a time, records likewise.
_NAMES = 5000
_RECORDS = 500
# Of so many names, or records, at the most is one page found; the next goes on after them.
NAMES_AT_MOST = 200_000
RECORDS_AT_MOST = 3000


class FoundJobStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def page(
        self, wanted: JobFilter, after: str | None, limit: int
    ) -> tuple[list[str], str | None]:
        """The names of a page, in alphabetical order, those after `after`; and the name that the
        next page comes after, None where there is none. The page may be short, or empty, where
        many were looked at in vain."""
        found: list[str] = []
        looked, size = after, _RECORDS if wanted.looks_at_records else _NAMES
        left = RECORDS_AT_MOST if wanted.looks_at_records else NAMES_AT_MOST
        while left > 0:
            names = self._names(looked, size if wanted != JobFilter() else limit + 1)
            if not names:
                return found, None
            left -= len(names)
            for name in self._taken([one for one in names if wanted.takes_name(one)], wanted):
                if len(found) == limit:
                    return found, found[-1]
                found.append(name)
            looked = names[-1]
        return found, looked

    def due(self, until_ms: int, limit: int) -> list[str]:
        """The names of the jobs that are due up to a moment, soonest first."""
        found = self._redis.command("ZRANGEBYSCORE", keys.DUE, "-inf", until_ms, "LIMIT", 0, limit)
        return [name.decode() for name in found]

    def linked(self, names: Sequence[str]) -> list[list[str]]:
        """Of each of these jobs the names of those that need it, wait for it or start it."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.smembers(keys.linked(name))
            found = pipeline.execute() if names else []
        return [sorted(one.decode() for one in others) for others in found]

    def _names(self, after: str | None, limit: int) -> list[str]:
        start = f"({after}" if after is not None else "-"
        found = self._redis.command("ZRANGEBYLEX", keys.JOBS, start, "+", "LIMIT", 0, limit)
        return [name.decode() for name in found]

    def _taken(self, names: Sequence[str], wanted: JobFilter) -> Iterator[str]:
        if not wanted.looks_at_records:
            yield from names
            return
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hmget(keys.job(name), "spec", "paused")
            records = pipeline.execute()
        for name, (spec, paused) in zip(names, records, strict=True):
            if spec is not None and wanted.takes(json.loads(spec), paused == b"1"):
                yield name
