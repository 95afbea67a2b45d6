"""Jobs that are looked for among very many: a page of them at a time, and no more read than that
takes."""

from collections.abc import Sequence

from jober.job_filter import JobFilter
from jober.store import keys
from jober.store.connection import Connection

# A call of the script looks at so many names, and takes a millisecond or two.
LOOKED_AT = 2_000
# And a page takes so many calls at the most; the next goes on after them.
CALLS = 250


class FoundJobStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def page(
        self, wanted: JobFilter, after: str | None, limit: int
    ) -> tuple[list[str], str | None]:
        """The names of a page, in alphabetical order, those after `after`; and the name that the
        next page comes after, None where there is none. The page may be short, or empty, where
        many were looked at in vain."""
        all_of = self._shortest_first(_all_of(wanted))
        any_of = [
            *(keys.listed(f"tag:{tag}") for tag in sorted(wanted.of_tags)),
            *(keys.listed(f"role:{role}") for role in sorted(wanted.of_roles)),
        ]
        without = keys.listed("paused") if wanted.paused is False else ""
        found: list[str] = []
        looked = after or ""
        for _ in range(CALLS):
            # One more than wanted tells whether there is another page.
            left = limit + 1 - len(found)
            names, reached = self._redis.run(
                "find",
                [*all_of, *any_of],
                [looked, left, LOOKED_AT, wanted.text.lower(), without, len(all_of)],
            )
            found += (name.decode() for name in names)
            looked = reached.decode()
            if len(found) > limit:
                return found[:limit], found[limit - 1] if limit else None
            if not looked:
                return found, None
        return found, looked

    def tagged(self, tag: str) -> frozenset[str]:
        """The names of all jobs with a tag."""
        names = self._redis.command("ZRANGE", keys.listed(f"tag:{tag}"), 0, -1)
        return frozenset(name.decode() for name in names)

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

    def _shortest_first(self, lists: list[str]) -> list[str]:
        """The same lists, so that the fewest names are looked at."""
        if len(lists) < 2:
            return lists
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for one in lists:
                pipeline.zcard(one)
            sizes = dict(zip(lists, pipeline.execute(), strict=True))
        return sorted(lists, key=sizes.__getitem__)


def _all_of(wanted: JobFilter) -> list[str]:
    """The lists that a job stands in, every one of them."""
    lists = [
        *([keys.listed(f"tag:{wanted.tag}")] if wanted.tag is not None else []),
        *([keys.listed(f"role:{wanted.role}")] if wanted.role is not None else []),
        *([keys.listed("paused")] if wanted.paused else []),
    ]
    return lists or [keys.JOBS]
