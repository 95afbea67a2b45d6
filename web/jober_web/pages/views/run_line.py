"""A run as a line of a table."""

from dataclasses import dataclass

from jober.run import Run
from jober.words import duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """`at_ms` is when it began, or was made; `took` how long it took, or has gone on; `note` why it
    ended as it did, or what it waits for; `fraction` and `message` how far it is."""

    id: str
    job: str | None
    state: str
    host: str | None
    at_ms: int | None
    took: str
    note: str
    fraction: float | None = None
    message: str | None = None


def run_line(run: Run, now_ms: int) -> RunLine:
    whole = run.progress.whole if run.progress and not run.state.is_final else None
    return RunLine(
        id=run.id,
        job=run.job,
        state=str(run.state),
        host=run.host,
        at_ms=run.started_at_ms or run.enqueued_at_ms or run.fire_at_ms,
        took=took(run, now_ms),
        note=note(run),
        fraction=whole.fraction if whole else None,
        message=whole.message if whole else None,
    )


def took(run: Run, now_ms: int) -> str:
    """How long it took; of one that goes on, how long it has."""
    if run.duration_s is not None:
        return duration(run.duration_s)
    if run.started_at_ms is not None and not run.state.is_final:
        return duration((now_ms - run.started_at_ms) / 1000)
    return ""


def note(run: Run) -> str:
    """Why it ended as it did, or what it waits for."""
    if run.reason:
        return run.reason
    if run.waits_for and not run.state.is_final:
        return f"waits for {run.waits_for}"
    if run.exit_code:
        return f"exit status {run.exit_code}"
    return ""
