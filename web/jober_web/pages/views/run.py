"""All about one run."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jober.progress import Progress
from jober.run import Attempt, Run
from jober.words import duration
from jober_web.pages.amounts import size
from jober_web.pages.views.run_line import note, took
from jober_web.pages.wall import Wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How far the run is as a whole, or a group of it; `fraction` is None where that is unknown."""

    name: str
    fraction: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    number: int
    state: str
    host: str
    at_ms: int | None
    took: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    id: str
    job: str | None
    state: str
    is_final: bool
    is_bad: bool
    is_stopping: bool
    note: str
    facts: tuple[tuple[str, str], ...]
    needed: tuple[tuple[str, tuple[str, ...]], ...]
    after: str | None
    blocked_by: str | None
    fire_ms: int | None
    bars: tuple[Bar, ...]
    attempts: tuple[AttemptLine, ...]
    args: str
    kwargs: str
    result: str
    traceback: str


def run_view(
    run: Run,
    attempts: Sequence[Attempt],
    arguments: tuple[list[Any], dict[str, Any]] | None,
    waits: str | None,
    wall: Wall,
) -> RunView:
    """`arguments` is what it was given, None where that is known no more; `waits` why it has not
    started, where there is more to say of that than it says itself."""
    args, kwargs = arguments or ([], {})
    return RunView(
        id=run.id,
        job=run.job,
        state=str(run.state),
        is_final=run.state.is_final,
        is_bad=run.state.is_final and not run.is_good,
        is_stopping=run.cancel_requested and not run.state.is_final,
        note=f"It {waits}." if waits else note(run),
        facts=_facts(run, wall),
        needed=tuple(run.needed.items()),
        after=run.after,
        blocked_by=run.blocked_by,
        fire_ms=run.fire_at_ms,
        bars=bars(run.progress) if run.progress else (),
        attempts=tuple(_attempt(one, wall) for one in attempts),
        args=json.dumps(args, ensure_ascii=False) if args else "",
        kwargs=json.dumps(kwargs, ensure_ascii=False) if kwargs else "",
        result=pretty(run.return_value) if run.return_value else "",
        traceback=run.traceback or "",
    )


def pretty(text: str) -> str:
    """JSON as people read it; what is none, as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _facts(run: Run, wall: Wall) -> tuple[tuple[str, str], ...]:
    facts = [("Runs", _typed(run.description)), ("Made by", run.trigger)]
    if run.host:
        facts.append(("Host", run.host))
    if run.fire_at_ms is not None:
        facts.append(("Fire", wall.full(run.fire_at_ms)))
    if run.started_at_ms is not None:
        late = _late(run)
        facts.append(("Started", f"{wall.full(run.started_at_ms)}{late}"))
    if run.ended_at_ms is not None:
        facts.append(("Ended", wall.full(run.ended_at_ms)))
    if run.retry_at_ms is not None and not run.state.is_final:
        facts.append(("Tried again", wall.relative(run.retry_at_ms)))
    if told := took(run, wall.now_ms):
        facts.append(("Took" if run.state.is_final else "Runs for", told))
    if run.exit_code is not None:
        facts.append(("Exit status", f"{run.exit_code}"))
    if run.cpu_s is not None:
        facts.append(("Processor", duration(run.cpu_s)))
    if run.peak_memory_bytes is not None:
        facts.append(("Memory at most", size(run.peak_memory_bytes)))
    if run.revision is not None:
        facts.append(("Revision", f"{run.revision}"))
    facts.append(("Queue", run.queue))
    return tuple(facts)


def _typed(description: str) -> str:
    """What a shell runs as it was typed, without the quotes around it."""
    try:
        words = shlex.split(description)
    except ValueError:
        return description
    return words[2] if words[:2] == ["sh", "-c"] and len(words) == 3 else description


def _late(run: Run) -> str:
    if run.fire_at_ms is None or run.started_at_ms is None:
        return ""
    late_s = (run.started_at_ms - run.fire_at_ms) / 1000
    return f", {duration(late_s)} after its fire" if late_s >= 0.1 else ""


def bars(progress: Progress) -> tuple[Bar, ...]:
    """The whole first, then each group, in the order of their first report."""
    steps = [("", progress.whole), *progress.groups.items()]
    return tuple(
        Bar(name=name, fraction=step.fraction, text=_step(step.done, step.total, step.message))
        for name, step in steps
        if step.done is not None or step.message
    )


def _step(done: float | None, total: float | None, message: str | None) -> str:
    amount = ""
    if done is not None:
        amount = f"{done:g} of {total:g}" if total else f"{done:g}"
    return ": ".join(part for part in (amount, message or "") if part)


def _attempt(attempt: Attempt, wall: Wall) -> AttemptLine:
    exit_text = f"exit status {attempt.exit_code}" if attempt.exit_code else ""
    running_s = (
        (wall.now_ms - attempt.started_at_ms) / 1000
        if attempt.started_at_ms is not None and not attempt.state.is_final
        else None
    )
    took_s = attempt.duration_s if attempt.duration_s is not None else running_s
    return AttemptLine(
        number=attempt.attempt,
        state=str(attempt.state),
        host=attempt.host or "",
        at_ms=attempt.started_at_ms,
        took=duration(took_s) if took_s is not None else "",
        text=attempt.reason or exit_text,
    )
