"""Runs in Redis: made by hand, listed, read, cancelled and, when old, forgotten."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jober.errors import JobNotFound, KeyUsed, RunExists, RunNotFound
from jober.progress import Progress
from jober.run import Attempt, Claim, Run, RunState
from jober.run_filter import RunFilter
from jober.store import keys, rq
from jober.store.connection import Connection
from jober.store.fields import moment_text, number, packed, readable, record, text
from jober.store.leases import KEEP_S
from jober.store.run_record import read_attempt, read_run

if TYPE_CHECKING:
    # Loaded where there is a key to sign by.
    from jober.store.signer import Signer

PAGE = 100
# So many are looked at at once for those that are wanted.
SEARCHED = 500
# So long a key is known that runs were made by.
ONCE_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRun:
    """A run by hand, bound to `host`, which somebody `asked` for by its name or that was chosen
    for it, or (`may_move`) going to it first.

    What it is given stands in for the job's own: `queue` to `expires_s`. One with a queue needs no
    job. `spec`, the definition of one without, and `arguments`, JSON, are kept for whoever runs it
    again. `call` tells one call from another, where an `id` was chosen that may be there already.
    It waits for what its job does, or as `waits` says (JSON, empty for nothing), for the runs
    `needed`, by job, where these are known; it was started by the end of the run `after`.
    """

    id: str
    host: str | None = None
    may_move: bool = False
    asked: bool = False
    queue: str | None = None
    data: bytes | None = None
    options: str | None = None
    description: str | None = None
    timeout: str | None = None
    expires_s: float | None = None
    spec: str | None = None
    arguments: str | None = None
    call: str | None = None
    waits: str | None = None
    needed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    after: str | None = None

    def told(self) -> dict[str, Any]:
        """As the script takes it."""
        told: dict[str, Any] = {name: getattr(self, name) for name in _TOLD}
        told["expires"] = None if self.expires_s is None else round(self.expires_s * 1000)
        told["may_move"] = self.may_move or None
        told["asked"] = self.asked or None
        told["needed"] = json.dumps(self.needed) if self.needed else None
        return {name: value for name, value in told.items() if value is not None}


_TOLD = (
    *("id", "host", "queue", "data", "options", "description", "timeout"),
    *("spec", "arguments", "call", "waits", "after"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What a run was made of. `job` is None for an application's own RQ job, NO_JOB for a run
    that has a `spec` of its own; `host` is the one that it is bound to."""

    job: str | None
    revision: int | None
    host: str | None
    data: bytes
    options: str
    description: str
    timeout: str
    spec: str | None
    arguments: str | None
    fields: Mapping[str, bytes] = field(default_factory=dict, repr=False)  # all of its record


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRuns:
    """Runs of a job that are to be made; `placed` is to be remembered of where it ran, if anything
    is. `made_of` is what Redis kept of the definition that they were made of, where it was read:
    they are signed by that alone."""

    job: str
    runs: Sequence[ManualRun]
    placed: Sequence[str] = ()
    made_of: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Runs are made once by a `key`: another call with it gets the ids `runs` of the first. `call`
    tells what is asked for by it from all else."""

    key: str
    call: str
    runs: Sequence[str]


class RunStore:
    def __init__(self, connection: Connection, signer: "Signer | None" = None) -> None:
        self._redis = connection
        self._signer = signer

    def enqueue(
        self, job: str, runs: Sequence[ManualRun], placed: Sequence[str] = (), owner: str = ""
    ) -> None:
        """Put runs of a job, or of NO_JOB, into their queues, or have them wait; `placed` as in
        JobRuns; with an `owner`, they are noted as its own. Raises JobNotFound, RunExists."""
        self.enqueue_all([JobRuns(job=job, runs=runs, placed=placed)], owner)

    def enqueue_all(
        self, batch: Sequence[JobRuns], owner: str = "", once: Once | None = None
    ) -> list[str] | None:
        """The same for several jobs, all or nothing. Where it was called `once` before, nothing is
        made, and the ids are those that were made then. Raises KeyUsed."""
        made = [(one.job, [run.told() for run in one.runs]) for one in batch]
        if self._signer is not None:
            self._signer.sign_runs(made, {one.job: one.made_of for one in batch if one.made_of})
        told = [[*runs, " ".join(one.placed)] for runs, one in zip(made, batch, strict=True)]
        key = [once.key, once.call, ONCE_S, *once.runs] if once else ["", "", 0]
        status, *what = self._redis.run("enqueue", [], [packed(told), owner, *key])
        if status == b"made":
            return [id.decode() for id in what]
        if status == b"other" and once:
            raise KeyUsed(once.key)
        if status == b"exists":
            raise RunExists(what[0].decode())
        if status == b"no job":
            raise JobNotFound(what[0].decode())
        return None

    def get(self, id: str) -> Run:
        """One run. Raises RunNotFound."""
        fields = record(self._redis.command("HGETALL", keys.rq_job(id)))
        if not fields:
            raise RunNotFound(id)
        return read_run(id, fields)

    def original(self, id: str) -> Original:
        """What a run was made of. Raises RunNotFound."""
        fields = record(self._redis.command("HGETALL", keys.rq_job(id)))
        if not fields:
            raise RunNotFound(id)
        return Original(
            job=text(fields.get("job")),
            revision=readable(number, fields.get("revision")),
            host=text(fields.get("target")),
            data=fields.get("data", b""),
            options=text(fields.get("options")) or "{}",
            description=text(fields.get("description")) or "",
            timeout=text(fields.get("timeout")) or "",
            spec=text(fields.get("spec")),
            arguments=text(fields.get("arguments")),
            fields=fields,
        )

    def attempts(self, id: str) -> list[Attempt]:
        """The attempts of a run that have begun, in order, of the last 100 or so. Raises
        RunNotFound."""
        run = self.get(id)
        kept = self._redis.command("LRANGE", keys.attempts(id), 0, -1)
        attempts = [read_attempt(json.loads(entry)) for entry in kept]
        # One that is tried again is kept by the step that puts it off; the record has the last.
        if run.started_at_ms is not None and (run.state.is_final or run.state is RunState.RUNNING):
            attempts.append(
                Attempt(
                    attempt=run.attempt,
                    state=run.state,
                    host=run.host,
                    agent=run.agent,
                    started_at_ms=run.started_at_ms,
                    ended_at_ms=run.ended_at_ms,
                    exit_code=run.exit_code,
                    reason=run.reason,
                )
            )
        return attempts

    def page(
        self,
        job: str | None = None,
        after: str | None = None,
        limit: int = PAGE,
        wanted: RunFilter | None = None,
        jobs: Container[str | None] | None = None,
    ) -> list[Run]:
        """A page of runs, newest first, of one job or of all; those that come after the run with
        the id `after`, the last one of the page before. Of those `wanted`, where that is told, and
        of `jobs`."""
        return self.looked_through(job, after, limit, wanted or RunFilter(), jobs)[0]

    def looked_through(
        self,
        job: str | None,
        after: str | None,
        limit: int,
        wanted: RunFilter,
        jobs: Container[str | None] | None,
        at_most: int | None = None,
    ) -> tuple[list[Run], str | None]:
        """As `page`, of the next `at_most` runs alone; and the id of the last that was looked at,
        None where no more are there."""
        key = keys.runs(job) if job else keys.RUNS
        first = 0
        if after is not None:
            rank = self._redis.command("ZREVRANK", key, after)
            if rank is None:
                return [], None  # forgotten meanwhile, and all that are older with it
            first = rank + 1
        if wanted.until_ms is not None:
            first = max(first, self._redis.command("ZCOUNT", key, wanted.until_ms, "+inf"))
        size = limit if jobs is None and not wanted.looks_at_records else SEARCHED
        since = "-inf" if wanted.since_ms is None else wanted.since_ms
        end = self._redis.command("ZCOUNT", key, since, "+inf")
        stop = end if at_most is None else min(end, first + at_most)
        page: list[Run] = []
        seen: str | None = None
        while len(page) < limit and first < stop:
            last = min(first + size, stop) - 1
            ids = [id.decode() for id in self._redis.command("ZREVRANGE", key, first, last)]
            found = self.found(ids).values()
            page += [
                run for run in found if wanted.takes(run) and (jobs is None or run.job in jobs)
            ]
            first = last + 1
            seen = ids[-1] if ids else seen
        if page and len(page) >= limit:
            more = len(page) > limit or first < end
            return page[:limit], page[limit - 1].id if more else None
        return page, seen if first < end else None

    def found(self, ids: Iterable[str]) -> dict[str, Run]:
        """The runs among these ids whose records are still there."""
        wanted = list(ids)
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in wanted:
                pipeline.hgetall(keys.rq_job(id))
            records = pipeline.execute()
        return {
            id: read_run(id, record(fields))
            for id, fields in zip(wanted, records, strict=True)
            if fields
        }

    def cancel(self, id: str, reason: str) -> str:
        """Cancel a run: `withdrawn` where it waited, `asked` where its agent is told to stop it,
        else the final state it has already. Raises RunNotFound."""
        [reply] = self.cancel_all([id], reason)
        if reply == "absent":
            raise RunNotFound(id)
        return reply

    def cancel_all(self, ids: Sequence[str], reason: str) -> list[str]:
        """As `cancel`, for some hundred runs at the most; of one that is not there, `absent`."""
        told = [KEEP_S, reason, rq.traceback_payload(reason), *ids]
        return [reply.decode() for reply in self._redis.run("cancel", [], told)]

    def progress(self, told: Sequence[tuple[Claim, Progress]]) -> list[bool]:
        """Write how far attempts are, one script for all, and tell their followers. False for one
        that is over, or another's by now."""
        replies = self._redis.run(
            "progress",
            [],
            [packed([[claim.id, claim.attempt, progress.to_json()] for claim, progress in told])],
        )
        return [bool(reply) for reply in replies]

    def forget(self, runs: Sequence[Run]) -> int:
        """Remove ended runs that are kept elsewhere; those that have changed since they were read
        stay. How many went."""
        told: list[str] = []
        for run in runs:
            if run.ended_at_ms is not None:
                told += [run.id, str(run.state), moment_text(run.ended_at_ms)]
        return int(self._redis.run("forget", [], told))

    def oldest(self, first: int, limit: int) -> list[tuple[str, int]]:
        """The ids of all runs and when they were made (ms), oldest first, from a place on."""
        with self._redis.guard():
            found: Any = self._redis.client.zrange(
                keys.RUNS, first, first + limit - 1, withscores=True
            )
        return [(id.decode(), int(made)) for id, made in found]

    def prune(
        self, keep: int, job: str | None = None, limit: int = 200, pass_over: int = 0
    ) -> tuple[int, int]:
        """Forget the oldest ended runs of a job past those that it keeps (`keep` where it does not
        say), or of all past the newest `keep`.

        Looks at `limit` of them after the first `pass_over`; tells how many it removed, and how
        many go on and are to be passed over by the next look.
        """
        key = keys.runs(job) if job else keys.RUNS
        removed, live = self._redis.run("prune", [key], [keep, limit, pass_over, job or ""])
        return int(removed), int(live)

    def lapse(self, limit: int = 200) -> int:
        """Forget the runs whose jobs clean up after them and that were kept for long enough: each
        makes a run that cleans up. Tells how many it looked at, of `limit`."""
        return int(self._redis.run("lapse", [keys.CLEANING], [limit]))

    def overfull(self, limit: int = 1000) -> list[str]:
        """The jobs whose list of runs has grown past its bound since this was last asked."""
        with self._redis.guard():
            found: Any = self._redis.client.spop(keys.OVERFULL, limit)
        return [name.decode() for name in found or []]
