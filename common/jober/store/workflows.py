"""Runs that wait for runs of other jobs: what deciding needs, and what was decided. And the ends of
runs that something comes after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jober.ids import started_run_id
from jober.run import RunState
from jober.store import keys, rq
from jober.store.connection import Connection
from jober.store.fields import moment_ms, packed, text
from jober.store.leases import KEEP_S
from jober.store.runs import JobRuns
from jober.store.unreadable import Unreadable
from jober.workflow import (
    JobState,
    LastSuccess,
    Upstream,
    UpstreamRun,
    Verdict,
    WaitingRun,
    Waits,
)

if TYPE_CHECKING:
    # Loaded where there is a key to sign by.
    from jober.store.signer import Signer

# Of so many ends it is remembered that they were followed.
FOLLOWED = 100_000
# The ends that on_failure is for. Who cancels a run knows of it.
FAILURES = frozenset(
    {
        RunState.FAILED,
        RunState.TIMEOUT,
        RunState.LOST,
        RunState.MISSED,
        RunState.POISONED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A run that waits, and the revision of the definition that it was made from."""

    run: WaitingRun
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of a waiting run: the verdict, or (`lacks`) why it cannot be run at all. With the
    results that it was given, `data` and `description` are other than before, which was the
    `template`."""

    found: Found
    verdict: Verdict
    lacks: str | None = None
    data: bytes | None = None
    description: str | None = None
    template: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A run that has ended, of a job that others come after; the jobs that this starts."""

    id: str
    job: str
    state: str
    starts: tuple[str, ...]


class WorkflowStore:
    def __init__(self, connection: Connection, signer: "Signer | None" = None) -> None:
        self._redis = connection
        self._signer = signer
        self._unreadable = Unreadable("run")
        self._followed: dict[str, None] = {}

    def wait(self, wait_s: float) -> bool:
        """Wait until a run has to be looked at, for at most so many seconds."""
        with self._redis.guard():
            return bool(self._redis.client.blpop([keys.LOOK], timeout=wait_s))

    def needing(self, limit: int) -> list[Found]:
        """Runs that wait, and are to be looked at now, with all that deciding needs."""
        found = self._redis.run("needing", [keys.NEEDING, keys.DUE], [limit])
        return self._unreadable.passed_over(_found, found)

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Carry out what was decided; False where it is another's to decide by now."""
        replies = self._redis.run(
            "settle",
            [keys.NEEDING],
            [
                packed([self._settlement(one) for one in settlements]),
                KEEP_S,
                rq.traceback_payload("failed: it lacks a result"),
            ],
        )
        return [reply == b"done" for reply in replies]

    def _settlement(self, one: Settlement) -> dict[str, Any]:
        told = _settlement(one)
        if self._signer is not None and one.data is not None and one.template is not None:
            told["order"] = self._signer.reorder(one.found.run.id, one.template, one.data)
        return told

    def arguments(self, id: str) -> tuple[Any, Any] | None:
        """The arguments by position and by name that stand in for the job's own, with results to
        be put into them; None where there are none."""
        told = self._redis.command("HGET", keys.rq_job(id), "arguments")
        if told is None:
            return None
        args, kwargs = json.loads(told)
        return args, kwargs

    def returned(self, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
        """Of each run what is known of its result: `return_value` (JSON), `reason`, `data`,
        `state`, `host`, `target`."""
        names = ("return_value", "reason", "data", "state", "host", "target")
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in ids:
                pipeline.hmget(keys.rq_job(id), *names)
            found = pipeline.execute()
        return {
            id: {
                name: value.decode("utf-8", "replace") if value else None
                for name, value in zip(names, values, strict=True)
            }
            for id, values in zip(ids, found, strict=True)
        }

    def ended(self, limit: int) -> list[EndedRun]:
        """Runs that have ended, and that something comes after, oldest first."""
        return self._unreadable.passed_over(_ended, self._redis.run("ended", [keys.ENDED], [limit]))

    def follow(self, ends: Sequence[tuple[EndedRun, Sequence[JobRuns]]]) -> int:
        """Start what the ends start, and have what waited for them looked at; how many runs were
        made. Each end is followed once."""
        told = [
            [
                end.id,
                end.job,
                end.state,
                [
                    [
                        started.job,
                        [run.told() for run in started.runs],
                        " ".join(started.placed),
                        f"after {end.id}, which ended as {end.state}",
                    ]
                    for started in starts
                ],
            ]
            for end, starts in ends
        ]
        signed = self._sign(told) if self._signer is not None else []
        made = int(self._redis.run("follow", [keys.ENDED, keys.NEEDING], [packed(told)]))
        if len(self._followed) >= FOLLOWED:
            self._followed.clear()
        self._followed.update(dict.fromkeys(signed))
        return made

    def _sign(self, ends: list[list[Any]]) -> list[str]:
        """Order what the ends start: each is a run that was ordered itself, of a job that says so,
        and starts others once. Tells which do. Redis may tell of an end again: what it starts has
        the same id then, by which hosts know what they have had."""
        signer, signed = self._signer, []
        assert signer is not None, "there is one"
        believed = signer.believed(job for _, job, _, starts in ends if starts)
        for id, job, state, starts in ends:
            if not starts or job not in believed or id in self._followed:
                continue
            if not signer.starts_others(id, job):
                continue
            field = "on_success" if state == RunState.SUCCESS else "on_failure"
            said = believed[job][1].get(field, b"").decode().split(",")
            told = [(name, runs) for name, runs, *_ in starts if name in said]
            for name, runs in told:
                for run in runs:
                    bound = None if run.get("may_move") else run.get("host")
                    run["id"] = started_run_id(name, id, bound)
            signer.sign_runs(told)
            signed.append(id)
        return signed

    def states(self, jobs: Sequence[str]) -> dict[str, JobState]:
        """How jobs stand that others come after: what was done, and what is on its way."""
        replies = self._redis.run("standing", [], jobs)
        return {
            job: JobState(
                succeeded_at_ms=moment_ms(ended_at) if ended_at else None,
                is_going=bool(going),
                has_failed=bool(failed),
                fresh_for_ms=Waits.read(waits.decode()).fresh_for_ms,
            )
            for job, (ended_at, going, failed, waits) in zip(jobs, replies, strict=True)
        }


def _settlement(one: Settlement) -> dict[str, Any]:
    """As the script takes it."""
    verdict, settled = one.verdict, one.verdict.settled
    told: dict[str, Any] = {
        "id": one.found.run.id,
        "seen": one.found.run.seen,
        "what": "fail" if one.lacks else verdict.what,
        "settled": json.dumps(settled) if settled else one.found.run.seen,
        "told": one.lacks or verdict.told,
        "again_ms": verdict.again_in_ms,
    }
    for name, value in (
        ("data", one.data),
        ("description", one.description),
        ("blocked_by", verdict.blocked_by),
        ("fresh", verdict.fresh),
    ):
        if value is not None:
            told[name] = value
    return told


def _found(
    id: bytes,
    job: bytes,
    revision: bytes,
    waits: bytes,
    seen: bytes,
    last_success: list[bytes],
    upstreams: list[list[Any]],
) -> Found:
    last = None
    if last_success:
        ended_at_ms = moment_ms(last_success[1])
        assert ended_at_ms is not None
        last = LastSuccess(run=last_success[0].decode(), ended_at_ms=ended_at_ms)
    run = WaitingRun(
        id=id.decode(),
        job=job.decode(),
        waits=Waits.read(waits.decode()),
        seen=seen.decode(),
        last_success=last,
        upstreams=tuple(_upstream(*told) for told in upstreams),
    )
    return Found(run=run, revision=int(revision or 0))


def _upstream(
    job: bytes,
    is_there: int,
    on_several: int,
    is_settled: int,
    undecided: int,
    has_no_host: int,
    runs: list[list[bytes]],
) -> Upstream:
    return Upstream(
        job=job.decode(),
        is_there=bool(is_there),
        on_several=bool(on_several),
        is_settled=bool(is_settled),
        undecided=bool(undecided),
        has_no_host=bool(has_no_host),
        runs=tuple(
            UpstreamRun(
                id=id.decode(),
                state=RunState(state.decode()) if state else None,
                host=text(host),
                reason=text(reason),
                blocked_by=text(blocked_by),
            )
            for id, state, host, reason, blocked_by in runs
        ),
    )


def _ended(id: bytes, job: bytes, state: bytes, on_success: bytes, on_failure: bytes) -> EndedRun:
    ended = state.decode("utf-8", "replace")
    names = b""
    if ended == RunState.SUCCESS:
        names = on_success
    elif ended in FAILURES:
        names = on_failure
    return EndedRun(
        id=id.decode(),
        job=job.decode(),
        state=ended,
        starts=tuple(name for name in names.decode("utf-8", "replace").split(",") if name),
    )
