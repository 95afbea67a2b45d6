"""A job that is due, as the leader reads it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DueJob:
    """A job that is due, as the leader reads it. `schedule` and `policy` are what
    `FirePolicy.read` takes; `fires` counts those that made a run."""

    name: str
    due_ms: int
    revision: int
    cursor_ms: int
    floor_ms: int
    anchor_ms: int
    fires: int
    told_ms: int
    schedule: str
    policy: str
    placed: tuple[str, ...] = ()


def due_job(
    name: bytes,
    due: bytes,
    revision: bytes,
    cursor: bytes,
    floor: bytes,
    anchor: bytes,
    fires: bytes | None,
    told: bytes | None,
    schedule: bytes,
    policy: bytes,
    placed: bytes | None,
) -> DueJob:
    """Of the reply of the script DUE."""
    return DueJob(
        name=name.decode(),
        due_ms=int(float(due)),
        revision=int(revision),
        cursor_ms=int(cursor),
        floor_ms=int(floor),
        anchor_ms=int(anchor),
        fires=int(fires or 0),
        told_ms=int(told or 0),
        schedule=schedule.decode(),
        policy=policy.decode(),
        placed=tuple(placed.decode().split()) if placed else (),
    )
