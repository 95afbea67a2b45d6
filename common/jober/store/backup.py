"""All that a backup keeps, read from Redis in pages and written back: each batch one script."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jober.backup import JobEntry, RunEntry, Standing
from jober.errors import BackupError
from jober.run import FINAL, GOOD, RQ_STATUS, RunState
from jober.store import keys, rq
from jober.store.changes import seals_of
from jober.store.connection import Connection
from jober.store.events import read_decision
from jober.store.fields import moment_ms, packed, record
from jober.store.jobs import REMOVED_KEPT_MS, JobStore
from jober.store.leases import KEEP_S
from jober.store.run_record import read_attempt

# Jobs in one page, without and with their ledgers; runs in one page.
JOBS = 500
JOBS_WITH_HISTORY = 50
RUNS = 100
# What RQ is told of an end, in `rq:results:<id>`.
_RESULT_TYPES = {RunState.SUCCESS: 1, RunState.SKIPPED: 1, RunState.CANCELLED: 3}


class BackupStore:
    def __init__(self, connection: Connection, jobs: JobStore) -> None:
        self._redis = connection
        self._jobs = jobs

    def jobs(self, history: bool) -> Iterator[JobEntry]:
        """Every job by name, read a page at a time, with its history or without."""
        after: str | None = None
        size = JOBS_WITH_HISTORY if history else JOBS
        while names := self._jobs.names(after, size):
            yield from self._page_of_jobs(names, history)
            after = names[-1]

    def _page_of_jobs(self, names: Sequence[str], history: bool) -> Iterator[JobEntry]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.execute_command("HGETALL", keys.job(name))
                if history:
                    pipeline.execute_command("HGETALL", keys.former(name))
                    pipeline.execute_command("XRANGE", keys.ledger(name), "-", "+")
            found = iter(pipeline.execute())
        for name in names:
            fields = record(next(found))
            former, ledger = (next(found), next(found)) if history else ({}, [])
            if fields:
                yield _job_entry(name, fields, record(former), ledger)

    def runs(self, left_out: Counter[str]) -> Iterator[RunEntry]:
        """Every run that has ended, in no order. Counts what is `left_out`: runs that go on or
        wait (`runs_going_on`), and RQ jobs of applications (`rq_jobs`)."""
        # A scan tells each at least once; so many ids are bounded by the pruner.
        seen: set[bytes] = set()
        cursor = 0
        while True:
            cursor, told = self._redis.command("ZSCAN", keys.RUNS, cursor, "COUNT", RUNS)
            pairs = told.items() if isinstance(told, dict) else _pairs(told)
            fresh = [(id, int(float(made))) for id, made in pairs if id not in seen]
            seen.update(id for id, _ in fresh)
            # A scan may tell far more than it was asked for.
            for start in range(0, len(fresh), RUNS):
                yield from self._page_of_runs(fresh[start : start + RUNS], left_out)
            cursor = int(cursor)
            if cursor == 0:
                return

    def _page_of_runs(
        self, page: Sequence[tuple[bytes, int]], left_out: Counter[str]
    ) -> Iterator[RunEntry]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id, _ in page:
                pipeline.execute_command("HGETALL", keys.rq_job(id.decode()))
                pipeline.execute_command("LRANGE", keys.attempts(id.decode()), 0, -1)
            found = iter(pipeline.execute())
        for id, made_at_ms in page:
            fields, attempts = record(next(found)), next(found)
            if not fields:
                continue  # its record has expired
            if "job" not in fields:
                left_out["rq_jobs"] += 1
            elif fields.get("state", b"").decode() not in FINAL or "ended_at" not in fields:
                left_out["runs_going_on"] += 1
            else:
                yield RunEntry(
                    id=id.decode(),
                    made_at_ms=made_at_ms,
                    record={name: _text(value) for name, value in fields.items()},
                    attempts=tuple(_text(attempt) for attempt in attempts),
                )

    def write_history(self, jobs: Sequence[JobEntry]) -> None:
        """Former definitions and ledgers of jobs that are about to be written. What is there
        already is left alone."""
        told = [
            {
                "name": entry.name,
                "former": [
                    text
                    for revision, spec in entry.former.items()
                    for text in (str(revision), _former(spec))
                ],
                "ledger": [
                    [id, [_raw(text) for pair in fields.items() for text in pair]]
                    for id, fields in entry.ledger
                ],
            }
            for entry in jobs
            if entry.former or entry.ledger
        ]
        if told:
            self._redis.run("restore_history", [], [packed(told), REMOVED_KEPT_MS])

    def forgotten(self, entry: RunEntry, keep_s: float | None = None) -> bool:
        """Whether the run would have expired by now, where its job keeps it for `keep_s`."""
        kept_ms = round((KEEP_S if keep_s is None else keep_s) * 1000)
        return _ended_ms(entry) + kept_ms <= self._redis.clock.now_ms()

    def known_runs(self, runs: Sequence[RunEntry]) -> int:
        """How many of these runs are there."""
        return int(self._redis.command("EXISTS", *(keys.rq_job(entry.id) for entry in runs)))

    def write_runs(self, runs: Sequence[RunEntry]) -> int:
        """Runs that have ended; each expires when it would have. How many were written: those that
        are there already, or would be forgotten by now, are not."""
        told = [_packed_run(entry) for entry in runs]
        return int(
            self._redis.run(
                "restore_runs",
                [keys.RUNS, keys.OVERFULL],
                [packed(told), REMOVED_KEPT_MS, KEEP_S * 1000],
            )
        )


def check_run(entry: RunEntry) -> None:
    """Raises BackupError where the run could not be written, or its attempts not be read."""
    try:
        for attempt in entry.attempts:
            read_attempt(json.loads(attempt))
        _packed_run(entry)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise BackupError(f"the record of run {entry.id} cannot be read: {error}") from None
    except RecursionError:
        raise BackupError(f"the record of run {entry.id} is too deep") from None


def check_history(entry: JobEntry) -> None:
    """Raises BackupError where the history of the job could not be written, or read again."""
    try:
        for spec in entry.former.values():
            _former(spec)
        for id, fields in entry.ledger:
            told = {name: _raw(value) for name, value in fields.items()}
            read_decision(entry.name, id.encode(), told)
    except (ValueError, KeyError, OverflowError) as error:
        raise BackupError(f"the history of job {entry.name} cannot be read: {error}") from None


def _job_entry(
    name: str, fields: dict[str, bytes], former: dict[str, bytes], ledger: list[Any]
) -> JobEntry:
    return JobEntry(
        name=name,
        definition=json.loads(fields["spec"]),
        standing=Standing(
            revision=int(fields["revision"]),
            paused=fields.get("paused") == b"1",
            cursor_ms=int(fields["cursor"]),
            anchor_ms=int(fields["anchor"]),
            fires=int(fields.get("fires") or 0),
            placed=tuple(fields.get("placed", b"").decode().split()),
            created_at_ms=moment_ms(fields.get("created_at")) or 0,
            updated_at_ms=moment_ms(fields.get("updated_at")) or 0,
        ),
        former={
            int(revision): json.loads(former[revision]) for revision in sorted(former, key=int)
        },
        ledger=tuple(
            (id.decode(), {name: _text(value) for name, value in record(told).items()})
            for id, told in ledger
        ),
        seals=seals_of(fields),
    )


def _packed_run(entry: RunEntry) -> dict[str, Any]:
    """A run as the script takes it."""
    status = RQ_STATUS[entry.state]
    fields = {**entry.record, "status": status}
    return {
        "id": entry.id,
        "job": entry.job,
        "queue": _raw(entry.record["origin"]),
        "status": status,
        "made": str(entry.made_at_ms),
        "ended": str(_ended_ms(entry)),
        "fields": [_raw(text) for pair in fields.items() for text in pair],
        "attempts": [_raw(attempt) for attempt in entry.attempts],
        "result": _result(entry),
    }


def _ended_ms(entry: RunEntry) -> int:
    ended_at_ms = moment_ms(entry.record["ended_at"].encode())
    if ended_at_ms is None:
        raise ValueError("it has no ended_at")
    return ended_at_ms


def _result(entry: RunEntry) -> list[str]:
    """What RQ's tools read of the end, made anew: a pickle is never taken from a file."""
    if entry.state is RunState.MISSED:
        return []
    record = entry.record
    told = ["type", str(_RESULT_TYPES.get(entry.state, 2)), "worker_name", record.get("agent", "")]
    if record.get("return_value"):
        payload = rq.result_payload(json.loads(record["return_value"]))
        told += ["return_value", payload] if payload else []
    if entry.state not in GOOD:
        why = record.get("traceback") or record.get("reason") or str(entry.state)
        told += ["exc_string", rq.traceback_payload(_raw(why).decode("utf-8", "replace"))]
    return told


def _former(spec: Mapping[str, Any]) -> bytes:
    return json.dumps(spec, ensure_ascii=False).encode()


def _pairs(flat: Sequence[Any]) -> Iterator[tuple[bytes, Any]]:
    """A scan tells members and scores in turn, or in pairs, as the client reads it."""
    if flat and isinstance(flat[0], tuple | list):
        yield from ((id, made) for id, made in flat)
    else:
        yield from zip(flat[::2], flat[1::2], strict=True)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
