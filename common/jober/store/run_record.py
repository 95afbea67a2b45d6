"""The record of a run, read. Anybody may write one."""

import json
import re
from math import isfinite
from typing import Any

from jober.progress import Progress, read_progress
from jober.run import NO_JOB, Attempt, Run, RunState
from jober.store.fields import moment_ms, number, readable, text

_STATES = frozenset(RunState)
# An application's own RQ jobs have RQ's status and no state of ours until an agent takes them.
_FROM_RQ = {
    "created": RunState.QUEUED,
    "queued": RunState.QUEUED,
    "deferred": RunState.PARKED,
    "scheduled": RunState.DELAYED,
    "started": RunState.RUNNING,
    "finished": RunState.SUCCESS,
    "failed": RunState.FAILED,
    "stopped": RunState.CANCELLED,
    "canceled": RunState.CANCELLED,
}


def read_run(id: str, fields: dict[str, bytes]) -> Run:
    """The run of a record. Anybody may write one: what cannot be read is left out."""
    state = text(fields.get("state"))
    status = text(fields.get("status")) or "queued"
    job = text(fields.get("job"))
    return Run(
        id=id,
        job=None if job == NO_JOB else job,
        state=read_state(state, status),
        queue=text(fields.get("origin")) or "",
        description=text(fields.get("description")) or "",
        trigger=text(fields.get("trigger")) or "rq",
        attempt=readable(number, fields.get("attempt")) or 0,
        host=text(fields.get("host")) or text(fields.get("target")),
        agent=text(fields.get("agent")),
        revision=readable(number, fields.get("revision")),
        fire_at_ms=readable(moment_ms, fields.get("fire_at")),
        enqueued_at_ms=readable(moment_ms, fields.get("enqueued_at")),
        started_at_ms=readable(moment_ms, fields.get("started_at")),
        ended_at_ms=readable(moment_ms, fields.get("ended_at")),
        retry_at_ms=readable(moment_ms, fields.get("retry_at")),
        exit_code=readable(number, fields.get("exit_code")),
        reason=text(fields.get("reason")),
        return_value=text(fields.get("return_value")),
        traceback=text(fields.get("traceback")),
        cpu_s=readable(seconds, fields.get("cpu_s")),
        peak_memory_bytes=readable(number, fields.get("peak_memory_bytes")),
        progress=readable(_progress, fields.get("progress")),
        term=text(fields.get("term")),
        cancel_requested="cancel_requested" in fields,
        waits_for=_waits_for(text(fields.get("parked_in"))) or text(fields.get("waits_for")),
        blocked_by=text(fields.get("blocked_by")),
        after=text(fields.get("after")),
        needed=readable(_needed, fields.get("needed")) or {},
    )


def read_state(state: str | None, status: str) -> RunState:
    """The state of a record: ours, else what RQ says of it."""
    return RunState(state) if state in _STATES else _FROM_RQ.get(status, RunState.QUEUED)


def seconds(raw: bytes | None) -> float | None:
    """Seconds as a record has them."""
    found = float(raw) if raw else None
    return found if found is None or isfinite(found) else None


def _progress(raw: bytes | None) -> Progress | None:
    return read_progress(raw) if raw else None


def _needed(raw: bytes | None) -> dict[str, tuple[str, ...]]:
    return {job: tuple(ids) for job, ids in json.loads(raw).items()} if raw else {}


def read_attempt(told: dict[str, Any]) -> Attempt:
    """An ended attempt, as the script that put its run off has written it."""
    started_at, ended_at = (told.get(name, "").encode() for name in ("started_at", "ended_at"))
    return Attempt(
        attempt=told["attempt"],
        state=RunState(told["state"]),
        host=told.get("host"),
        agent=told.get("agent"),
        started_at_ms=moment_ms(started_at),
        ended_at_ms=moment_ms(ended_at),
        exit_code=told.get("exit_code"),
        reason=told.get("reason"),
    )


def _waits_for(parked: str | None) -> str | None:
    """What the runs of a zset wait for, in words."""
    if not parked:
        return None
    if limit := re.fullmatch(r"jober:limit:(.*):parked", parked):
        return f"a slot of the limit {limit[1]}"
    job, _, host = parked.removeprefix("jober:parked:").partition("@")
    return f"a slot of {job} on {host}" if host else f"a slot of {job}"
