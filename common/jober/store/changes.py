"""Changes of definitions, calendars and limits, as the script APPLY takes them, and what is kept
of a definition."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jober.roles import DEFAULT_ROLE, parse_roles, priority_queue
from jober.schedule import Calendar
from jober.schema import SCHEMA
from jober.service import ServicePolicy
from jober.store.fields import moment_text

if TYPE_CHECKING:
    # Loaded where a definition is read or written: agents and most commands never do.
    from jober.backup import Standing
    from jober.job import Job

# RQ wants a time-out; this is what it is told where a job has none. Only RQ's tools read it.
RQ_TIMEOUT_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The state that a job is written with, where it comes from a backup; `missed` goes into its
    ledger, as fields. The `seals` are those that it had."""

    standing: "Standing"
    missed: Mapping[str, str]
    seals: Mapping[str, str]

    def packed(self) -> dict[str, Any]:
        """As the script takes it."""
        standing = self.standing
        return {
            "revision": standing.revision,
            "cursor": standing.cursor_ms,
            "anchor": str(standing.anchor_ms),
            "paused": "1" if standing.paused else "0",
            "fires": str(standing.fires),
            "placed": " ".join(standing.placed),
            "created_at": moment_text(standing.created_at_ms),
            "updated_at": moment_text(standing.updated_at_ms),
            "missed": [text for pair in self.missed.items() for text in pair],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of an apply. `add` fails where the job exists; `put` writes either way; `calendar`
    and `limit` write what they are given, or remove the one of that name where it is None. A job
    that is `restored` has that state, and fires from now on, never for the past.

    A protected job is changed or removed by `force` alone, but for a change that takes nothing
    but its protection away (`unprotects`). `unless` is of a removal: "running" refuses it while a
    run goes on (but for `force`), "not over" leaves a job that is not volatile and over; of a
    calendar's, "in use" refuses it while a job names it. With `if_revision` it is refused where the
    job is of another by now.
    What is new fires as if it had been there `since_ms`: what was due since is caught up with."""

    op: Literal["add", "put", "remove", "calendar", "limit"]
    name: str
    job: "Job | None" = None
    calendar: Calendar | None = None
    slots: int | None = None
    restored: Restored | None = None
    force: bool = False
    unprotects: bool = False
    unless: Literal["running", "not over", "in use"] | None = None
    if_revision: int | None = None
    since_ms: int | None = None

    def packed(self) -> dict[str, Any]:
        """As the script takes it."""
        told: dict[str, Any] = {"op": self.op, "name": self.name}
        for flag in ("force", "unprotects", "unless", "since_ms", "if_revision"):
            value = getattr(self, flag)
            if value is not None and value is not False:  # the revision may be 0
                told[flag] = value
        if self.op == "calendar":
            told["spec"] = json.dumps(self.calendar.spec()) if self.calendar else False
        elif self.op == "limit":
            told["slots"] = self.slots or False
        elif self.job:
            told["fields"] = fields = job_fields(self.job)
            if self.restored:
                put_seals(fields, self.restored.seals)
                told["state"] = self.restored.packed()
        return told


def fire_texts(job: "Job") -> tuple[str, str]:
    """The schedule and the policy of a job, as `FirePolicy.read` takes them; an empty schedule
    is one by hand only."""
    from jober.job import SCHEDULE_FIELDS

    spec = job.spec()
    schedule = {name: spec[name] for name in SCHEDULE_FIELDS if name in spec}
    policy: dict[str, Any] = {
        **job.later,
        "schema": SCHEMA,
        "queue": job.queue,
        "on": job.on,
        "prefer": job.prefer,
        "roles": " or ".join(job.roles) or DEFAULT_ROLE,
        **{name: getattr(job, name) for name in ("catch_up", "catch_up_limit")},
        **{name: spec[name] for name in ("catch_up_window", "max_fires") if name in spec},
    }
    return (
        json.dumps(schedule, sort_keys=True) if job.schedule else "",
        json.dumps(policy, sort_keys=True),
    )


def how_fields(job: "Job") -> dict[str, str]:
    """What a run keeps of how it is to be done."""
    timeout = str(max(1, round(job.timeout))) if job.timeout else str(RQ_TIMEOUT_S)
    options = {"schema": SCHEMA, **job.options()}
    return {"options": json.dumps(options, sort_keys=True), "timeout": timeout}


def job_fields(job: "Job") -> dict[str, str | bytes]:
    """What Redis keeps of a definition: its text, and what the scripts need of it."""
    schedule, policy = fire_texts(job)
    return {
        "schema": str(SCHEMA),
        "spec": job.to_json(),
        "schedule": schedule,
        "policy": policy,
        "queue": priority_queue(job.queue, job.priority),
        "data": job.payload(),
        **how_fields(job),
        "description": job.description,
        "overlap": job.overlap,
        "calendars": " ".join(job.calendars),
        "fleet_limit": str(job.fleet_limit or ""),
        "host_limit": str(job.host_limit or ""),
        "limits": ",".join(job.limits),
        "weight": str(job.weight),
        "priority": str(job.priority),
        "ahead": job.reserved,
        "service": _service_text(job),
        "expires": str(round(job.expires * 1000)) if job.expires else "",
        "keep_runs": str(job.keep_runs),
        "keep_s": str(max(1, round(job.keep_for))),
        "cleanup": _cleanup_text(job),
        "volatile": "1" if job.volatile else "",
        "protected": "1" if job.protected else "",
        "notify": "1" if job.notify else "",
        "waits": job.waits.to_json(),
        "before": ",".join(job.links.before),
        "on_success": ",".join(job.links.on_success),
        "on_failure": ",".join(job.links.on_failure),
        "noted": "1" if job.links.starts or job.fresh_for else "",
        "listed": json.dumps(_lists_of(job), ensure_ascii=False),
        "seal": "",
    }


def put_seals(fields: dict[str, str | bytes], seals: Mapping[str, str]) -> None:
    """Put seals of before into what Redis is to keep of a definition: its own, and that of what
    cleans up."""
    fields["seal"] = seals.get("job", "")
    if fields["cleanup"] and "cleanup" in seals:
        told = {**json.loads(fields["cleanup"]), "seal": seals["cleanup"]}
        fields["cleanup"] = json.dumps(told, ensure_ascii=False, sort_keys=True)


def seals_of(fields: Mapping[str, bytes]) -> dict[str, str]:
    """The seals in what Redis keeps of a definition, as `put_seals` takes them."""
    seals = {"job": fields.get("seal", b"").decode("utf-8", "replace")}
    try:
        seals["cleanup"] = str(json.loads(fields.get("cleanup") or b"{}").get("seal") or "")
    except (ValueError, AttributeError):
        pass  # others have written what is none
    return {of: seal for of, seal in seals.items() if seal}


def _cleanup_text(job: "Job") -> str:
    """The run that cleans up after one that is deleted, as FORGET makes it; empty for none."""
    from jober.job.cleanup import cleaner

    made = cleaner(job)
    if made is None or made.expires is None:
        return ""
    told = {
        "call": str(made.call).replace(":", "."),
        "queue": priority_queue(made.queue, made.priority),
        "expires": round(made.expires * 1000),
        "spec": made.to_json(),
        **how_fields(made),
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _lists_of(job: "Job") -> list[str]:
    """The lists that it stands in beside that of all jobs."""
    asked = parse_roles(job.roles)
    roles = {*(role for one in asked for role in one.having), *map(str, asked)}
    return [*(f"tag:{tag}" for tag in job.tags), *(f"role:{role}" for role in sorted(roles))]


def _service_text(job: "Job") -> str:
    """How a service is kept alive, as `ServicePolicy.read` takes it; empty for other jobs."""
    if not job.service:
        return ""
    policy = ServicePolicy(
        on=str(job.on),
        queue=job.queue,
        prefer=job.prefer,
        restart_delay_ms=round(job.restart_delay * 1000),
        restart_max_delay_ms=round(job.restart_max_delay * 1000),
        healthy_after_ms=round(job.healthy_after * 1000),
    )
    return policy.to_json()
