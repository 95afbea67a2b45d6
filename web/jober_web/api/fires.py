"""Fires that are to come, as they are told."""

from typing import Any

from jober.client import JobRecord
from jober.client.finding import coming_fires, fires_after
from jober.clock import from_ms, iso
from jober.job import Job


def told_fires(job: Job, after_ms: int, anchor_ms: int, number: int) -> list[dict[str, Any]]:
    """The next fires of a definition after a moment, each with what a change to or from summer
    time, or an excluded day, does to it."""
    if job.schedule is None:
        return []
    fires = fires_after(job.schedule, after_ms, anchor_ms)
    return [_told(job, fire, anchor_ms) for _, fire in zip(range(number), fires, strict=False)]


def told_coming(record: JobRecord, now_ms: int, number: int) -> list[dict[str, Any]]:
    """The next fires of a job: those that it will have, paused or not."""
    return [
        _told(record.job, fire, record.anchor_ms) for fire in coming_fires(record, now_ms, number)
    ]


def _told(job: Job, fire_ms: int, anchor_ms: int) -> dict[str, Any]:
    assert job.schedule is not None, "what has no schedule has no fires"
    return {
        "fire_at": iso(fire_ms),
        "timezone": job.schedule.timezone,
        "in_zone": job.schedule.zone.aware(fire_ms).isoformat(),
        "notes": list(job.schedule.notes(from_ms(fire_ms), from_ms(anchor_ms))),
    }
