"""`jober show`: all about one job, or one run, on one page."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.jobs import as_dict as job_as_dict
from jober.cli.next import as_dict
from jober.cli.options import JobOrRunArgument, JsonOption, RedisOption
from jober.cli.runs import print_runs
from jober.cli.services import place_text
from jober.cli.show_run import is_run, show_run
from jober.cli.table import Column, print_facts, print_heading, print_table
from jober.client.finding import coming_fires
from jober.client.waiting import no_host
from jober.errors import JobNotFound
from jober.ledger import LedgerEntry
from jober.placement import Roster
from jober.service import Service
from jober.store.jobs import JobRecord
from jober.words import count, moment, moment_and_hint, plain, relative

_FIRES = 3
_ENTRIES = 8
_RUNS = 8


def show(name: JobOrRunArgument, json: JsonOption = False, redis: RedisOption = None) -> None:
    """Show all about one job, or one run.

    Of a job its definition, its coming fires, what was decided of its last ones and why, and its
    newest runs; of a run how it went and how far it is, and each attempt.

    Examples:
      jober show nightly
      jober show nightly --json | jq .definition
      jober show nightly-20261121T020000Z
    """
    with fleet(redis) as jober:
        try:
            record = jober.job(name)
        except JobNotFound:
            if not is_run(jober, name):
                raise
            show_run(jober, name, json)
            return
        ledger = jober.ledger(name, limit=_ENTRIES)
        runs = jober.runs(name, limit=_RUNS)
        agents = jober.agents()
        service = jober.service(name)
        now_ms = jober.store.clock.now_ms()
    hosts = Roster.of(agents).hosts_for(record.job.queue)
    nobody = "" if hosts else no_host(record.job.queue, agents)
    fires = [] if record.paused else coming_fires(record, now_ms, _FIRES)
    if json:
        schedule = record.job.schedule
        told: dict[str, Any] = {
            **job_as_dict(record, service),
            "hosts": list(hosts),
            "next_fires": [as_dict(schedule, fire, record.anchor_ms) for fire in fires]
            if schedule
            else [],
            "ledger": [entry.to_dict() for entry in ledger],
            "runs": [run.to_dict() for run in runs],
        }
        terminal.print_json(told)
        return
    console = terminal.stdout()
    _print_head(console, record, fires, hosts, nobody, service, now_ms)
    if ledger:
        print_heading(console, "Decisions")
        _print_ledger(console, ledger, now_ms)
    print_heading(console, "Runs")
    if runs:
        print_runs(console, runs, now_ms)
    else:
        how = "" if record.job.service else f": jober run {name}"
        console.print(Text(f"none yet{how}", style="dim"))


def _print_head(
    console: Console,
    record: JobRecord,
    fires: list[int],
    hosts: Sequence[str],
    nobody: str,
    service: Service | None,
    now_ms: int,
) -> None:
    job = record.job
    title = Text(record.name, style="bold")
    if job.title:
        title.append(f"  {plain(job.title)}", style="dim")
    console.print(title, soft_wrap=True)
    coming = ", ".join(moment(fire, now_ms) for fire in fires)
    if fires:
        coming += f" ({relative(fires[0], now_ms)})"
    lines: list[tuple[str, str | Text]] = [
        ("state", terminal.state("paused" if record.paused else "active")),
        ("runs", job.description),
        ("when", job.schedule_text),
        *(
            [("next", coming or ("none while paused" if record.paused else "none"))]
            if service is None
            else [("service", place_text(place, now_ms)) for place in service.places]
        ),
        ("where", f"{job.where_text} ({', '.join(hosts)})" if hosts else job.where_text),
    ]
    if nobody:
        lines.append(("", Text(nobody, style="red")))
    told = {"title", "roles", "on", "prefer", "timezone", "cron", "every", "at", "date", "any_of"}
    told |= {"command", "call", "module", "script", "args", "kwargs", "notes", "shell", "service"}
    lines += [
        (field, value if isinstance(value, str) else terminal.json_text(value))
        for field, value in job.spec().items()
        if field not in told
    ]
    if job.notes:
        lines += [
            ("" if place else "notes", line) for place, line in enumerate(job.notes.splitlines())
        ]
    changed = moment_and_hint(record.updated_at_ms, now_ms)
    lines.append(("defined", f"{changed or 'once'}, revision {record.revision}"))
    print_facts(console, lines)


def _print_ledger(console: Console, ledger: list[LedgerEntry], now_ms: int) -> None:
    columns = [
        Column(title="FIRE"),
        Column(title="DECISION"),
        Column(title="RUN OR REASON", cut=True),
    ]
    print_table(console, columns, [_ledger_row(entry, now_ms) for entry in ledger])


def _ledger_row(entry: LedgerEntry, now_ms: int) -> list[str | Text]:
    told = entry.run or entry.reason or ""
    if entry.count > 1:
        since = moment(entry.first_fire_at_ms, now_ms)
        told = f"{count(entry.count, 'fire')} since {since}: {told}"
    elif entry.host and not entry.run:
        told = f"{told} ({entry.host})"
    return [moment(entry.fire_at_ms, now_ms), terminal.state(entry.decision), told]
