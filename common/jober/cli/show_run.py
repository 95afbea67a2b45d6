"""`jober show RUN`: how one run went, attempt by attempt."""

import json as json_format
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from jober.cli import terminal
from jober.cli.how_far import step_text
from jober.cli.runs import took, why
from jober.cli.table import Column, print_facts, print_heading, print_table
from jober.client import Jober
from jober.client.waiting import why_it_waits
from jober.errors import JobNotFound, RunNotFound
from jober.job import Job, changes
from jober.run import Attempt, Run, RunState
from jober.words import duration, moment, moment_and_hint, plain

_RESULT_AT_MOST = 2000


def is_run(jober: Jober, id: str) -> bool:
    """Whether it is the id of a run that is known."""
    try:
        jober.handle(id)
    except RunNotFound:
        return False
    return True


def show_run(jober: Jober, id: str, as_json: bool) -> None:
    """Print all about the run."""
    handle = jober.handle(id)
    run, attempts = handle.run, handle.attempts
    made_from = jober.definition_of(run)
    now_ms = jober.store.clock.now_ms()
    if as_json:
        told: dict[str, Any] = {
            **run.to_dict(),
            "result": json_format.loads(run.return_value) if run.return_value else None,
            "traceback": run.traceback,
            "definition": made_from.spec() if made_from else None,
            "attempts": [attempt.to_dict() for attempt in attempts],
        }
        terminal.print_json(told)
        return
    console = terminal.stdout()
    console.print(Text(run.id, style="bold"), terminal.state(run.state), sep="  ", soft_wrap=True)
    facts = _facts(run, now_ms)
    if run.state in (RunState.QUEUED, RunState.WAITING) and (waits := why_it_waits(jober, run)):
        facts.append(("now", waits))
    if made_from:
        facts.append(("definition", f"revision {run.revision}, {_since(jober, made_from)}"))
    print_facts(console, [(name, value) for name, value in facts if value])
    if len(attempts) > 1 or run.retry_at_ms is not None or (attempts and not run.started_at_ms):
        print_heading(console, "Attempts")
        _print_attempts(console, attempts, now_ms)
    if run.traceback:
        print_heading(console, "Traceback")
        for line in run.traceback.splitlines():
            console.print(Text(f"  {plain(line)}"), soft_wrap=True)
    if run.attempt:
        console.print()
        console.print(Text(f"what it has written: jober logs {run.id}", style="dim"))


def _since(jober: Jober, made_from: Job) -> str:
    """How the definition that a run was made from differs from the present one."""
    try:
        present = jober.job(made_from.name).job
    except JobNotFound:
        return "of a job that has been removed"
    changed = changes(made_from, present)
    return f"changed since: {'; '.join(map(str, changed))}" if changed else "as it is now"


def _facts(run: Run, now_ms: int) -> list[tuple[str, str | Text]]:
    used = []
    if run.cpu_s is not None:
        used.append(f"{duration(run.cpu_s)} of processor time")
    if run.peak_memory_bytes is not None:
        used.append(f"{run.peak_memory_bytes / (1 << 20):.1f} MiB at the most")
    return [
        ("job", run.job or ""),
        ("runs", run.description),
        ("trigger", f"{run.trigger}, term {run.term}" if run.term else run.trigger),
        ("fire", moment_and_hint(run.fire_at_ms, now_ms)),
        ("started by", run.after or ""),
        ("needed", ", ".join(id for ids in run.needed.values() for id in ids)),
        ("queue", run.queue),
        ("host", f"{run.host} ({run.agent})" if run.agent else run.host or ""),
        ("queued", moment_and_hint(run.enqueued_at_ms, now_ms)),
        ("started", moment_and_hint(run.started_at_ms, now_ms)),
        ("again", moment_and_hint(run.retry_at_ms, now_ms)),
        ("ended", moment_and_hint(run.ended_at_ms, now_ms)),
        ("took", took(run, now_ms)),
        ("exit status", "" if run.exit_code is None else str(run.exit_code)),
        ("why", "" if run.state is RunState.WAITING else why(run)),
        ("returned", (run.return_value or "")[:_RESULT_AT_MOST]),
        ("used", ", ".join(used)),
        *_progress(run),
    ]


def _progress(run: Run) -> list[tuple[str, str | Text]]:
    """How far it says it is, as a whole and in each group."""
    if run.progress is None:
        return []
    steps = [run.progress.whole, *run.progress.groups.values()]
    told = [text for step in steps if (text := step_text(step))]
    return [("" if place else "progress", text) for place, text in enumerate(told)]


def _print_attempts(console: Console, attempts: Sequence[Attempt], now_ms: int) -> None:
    columns = [
        Column(title="N", justify="right"),
        Column(title="STATE"),
        Column(title="HOST", cut=True),
        Column(title="STARTED"),
        Column(title="TOOK", justify="right"),
        Column(title="WHY", cut=True, drop=1),
    ]
    rows: list[list[str | Text]] = [
        [
            str(one.attempt),
            terminal.state(one.state),
            one.host or "",
            "" if one.started_at_ms is None else moment(one.started_at_ms, now_ms),
            "" if one.duration_s is None else duration(one.duration_s),
            Text(plain(one.reason or ""), style="dim"),
        ]
        for one in attempts
    ]
    print_table(console, columns, rows)
