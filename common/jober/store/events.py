"""Events and the ledger: what happened, in order, and what was decided of each fire."""

from collections.abc import Iterator
from typing import Any

from jober.event import Event
from jober.ids import read_fired_run_id
from jober.ledger import Decision, LedgerEntry
from jober.run import NO_JOB
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import moment_ms, number, record, text
from jober.store.unreadable import Unreadable

# A log with fewer events was never cut.
LOG_AT_LEAST = 10_000


class EventStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._unreadable = Unreadable("event")

    def newest(self, limit: int = 100, before: str | None = None) -> list[Event]:
        """The newest logged events, newest first; those before the one with that id."""
        end = "+" if before is None else f"({before}"
        found = self._redis.command("XREVRANGE", keys.EVENTS_LOG, end, "-", "COUNT", limit)
        return self._unreadable.passed_over(_event, _entries(found))

    def after(self, id: str, limit: int) -> list[Event]:
        """Those logged after the one with that id, oldest first."""
        found = self._redis.command("XRANGE", keys.EVENTS_LOG, f"({id}", "+", "COUNT", limit)
        return self._unreadable.passed_over(_event, _entries(found))

    def last_id(self) -> str:
        """The id of the newest event; `0` where there is none."""
        newest = self._redis.command("XREVRANGE", keys.EVENTS_LOG, "+", "-", "COUNT", 1)
        return str(newest[0][0].decode()) if newest else "0"

    def has_lost(self, after: str) -> bool:
        """Whether some that came after the one with that id are kept no more."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=True)
            pipeline.xlen(keys.EVENTS_LOG)
            pipeline.xrange(keys.EVENTS_LOG, count=1)
            pipeline.xrange(keys.EVENTS_LOG, min=after, max=after)
            length, first, itself = pipeline.execute()
        # It is trimmed past its bound alone: a shorter one still has all.
        return length >= LOG_AT_LEAST and bool(first) and not itself and _before(after, first[0][0])

    def follow(self, after: str | None = None, wait_s: float = 1.0) -> Iterator[Event | None]:
        """Events as they happen, after the one with that id (default: from now on).

        Yields None each time that nothing happened for `wait_s` seconds, so that a caller
        can look at the world. It reads the log, so nothing is missed while the caller works.
        """
        last = self.last_id() if after is None else after
        while True:
            with self._redis.guard():
                found: Any = self._redis.client.xread(
                    {keys.EVENTS_LOG: last}, count=1000, block=max(1, int(wait_s * 1000))
                )
            if not found:
                yield None
                continue
            entries = found[0][1] if isinstance(found, list) else found[keys.EVENTS_LOG.encode()]
            last = entries[-1][0].decode()
            yield from self._unreadable.passed_over(_event, _entries(entries))

    def ledger(self, job: str, limit: int = 100) -> list[LedgerEntry]:
        """The newest decisions about the fires of a job, the newest fire first: those that made a
        run are told by the runs there are, the others by the stream of the ledger."""
        found = self._redis.command("XREVRANGE", keys.ledger(job), "+", "-", "COUNT", limit)
        entries = [read_decision(job, entry_id, pairs) for entry_id, pairs in _entries(found)]
        entries += self._fired(job, limit)
        # Not by when it was decided alone: the two do not read the clock at the same moment.
        entries.sort(key=lambda entry: (entry.fire_at_ms, entry.at_ms), reverse=True)
        return entries[:limit]

    def _fired(self, job: str, limit: int) -> list[LedgerEntry]:
        """The newest fires that made a run. A run's id tells of which fire, and where, it is."""
        fired: list[LedgerEntry] = []
        first = 0
        while len(fired) < limit:
            last = first + limit - 1
            with self._redis.guard():
                page: Any = self._redis.client.zrevrange(
                    keys.runs(job), first, last, withscores=True
                )
            for run, at_ms in page:
                if read := read_fired_run_id(job, run.decode()):
                    fired.append(_fired_entry(job, run.decode(), int(at_ms), *read))
            if len(page) < limit:
                break
            first = last + 1
        return fired


def _before(id: str, other: bytes) -> bool:
    """Whether an entry stands before another."""
    mine, theirs = (text.partition("-") for text in (id, other.decode()))
    return (int(mine[0]), int(mine[2] or 0)) < (int(theirs[0]), int(theirs[2]))


def _entries(found: Any) -> list[tuple[bytes, dict[str, bytes]]]:
    return [(entry[0], record(entry[1])) for entry in found or []]


def _event(entry_id: bytes, fields: dict[str, bytes]) -> Event:
    facts = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    if facts.get("job") == NO_JOB:
        del facts["job"]
    return Event(
        id=entry_id.decode(), type=facts.pop("type"), at_ms=int(facts.pop("at")), facts=facts
    )


def read_decision(job: str, entry_id: bytes, fields: dict[str, bytes]) -> LedgerEntry:
    fire_at = moment_ms(fields["fire_at"]) or 0
    return LedgerEntry(
        id=entry_id.decode(),
        job=job,
        decision=Decision(fields["decision"].decode()),
        at_ms=int(entry_id.split(b"-")[0]),
        fire_at_ms=fire_at,
        first_fire_at_ms=moment_ms(fields.get("first_fire_at")) or fire_at,
        count=number(fields.get("count")) or 1,
        run=text(fields.get("run")),
        host=text(fields.get("host")),
        reason=text(fields.get("reason")),
    )


def _fired_entry(job: str, run: str, at_ms: int, fire_at_ms: int, host: str | None) -> LedgerEntry:
    return LedgerEntry(
        id=run,
        job=job,
        decision=Decision.FIRED,
        at_ms=at_ms,
        fire_at_ms=fire_at_ms,
        first_fire_at_ms=fire_at_ms,
        run=run,
        host=host,
    )
