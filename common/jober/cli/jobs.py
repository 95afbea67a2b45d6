"""`jober jobs`, and what is done to one job: pause, resume, remove."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet, state
from jober.cli.options import JobArgument, JsonOption, Option, RedisOption
from jober.cli.services import service_text
from jober.cli.table import Column, print_table
from jober.run import Run
from jober.store import Store
from jober.store.later_job import LaterJob
from jober.words import moment, relative

if TYPE_CHECKING:
    from jober.service import Service
    from jober.store.jobs import JobRecord
    from jober.store.listed_jobs import ListedJob

# So many of the newest runs are looked through for the last run of each job; jobs that are not
# among them are asked for one by one, if they are no more than this.
_NEWEST_RUNS = 300
_ASKED_AT_MOST = 50

NO_JOBS = "no jobs yet: jober apply FILE"
NO_LEADER = "no scheduler leads, so nothing fires: start one with `jober scheduler`"


def jobs(json: JsonOption = False, redis: RedisOption = None) -> None:
    """List the jobs.

    Tells of each when it is due, where it runs, and how its last run went.

    Examples:
      jober jobs
      jober jobs --json | jq -r '.[] | select(.state == "paused") | .job'
    """
    with state(redis) as store:
        if json:
            _print_json(store)
            return
        found = list(store.listed_jobs.all())
        if not found:
            terminal.note(NO_JOBS)
            return
        services = _services(
            store, [job.name for job in found if not isinstance(job, LaterJob) and job.is_service]
        )
        last = last_runs(store, [job.name for job in found])
        now_ms = store.clock.now_ms()
        leader = store.leader.current()
    rows: list[list[str | Text]] = [
        [
            Text(job.name, style="bold"),
            *_when(job, services.get(job.name), last.get(job.name), now_ms),
        ]
        for job in found
    ]
    columns = [
        Column(title="JOB"),
        Column(title="NEXT"),
        Column(title="LAST RUN"),
        Column(title="SCHEDULE", cut=True, drop=1),
        Column(title="ROLES", cut=True, drop=2),
    ]
    print_table(terminal.stdout(), columns, rows)
    if leader is None:
        terminal.note(NO_LEADER)


def _when(
    job: "ListedJob | LaterJob", service: "Service | None", last: Run | None, now_ms: int
) -> list[str | Text]:
    """The line of a job, but for its name."""
    if isinstance(job, LaterJob):
        return [terminal.state("later"), last_text(last, now_ms), job.problem, ""]
    return [
        next_text(job, service, now_ms),
        last_text(last, now_ms),
        "kept alive" if job.is_service else job.schedule or "by hand",
        {"any": "", "every": "each of "}.get(str(job.on), f"{job.on} of ")
        + job.roles.replace(" or ", ", "),
    ]


def _print_json(store: Store) -> None:
    found = list(store.jobs.all_readable())
    names = [one.name for one in found if not isinstance(one, LaterJob) and one.job.service]
    services = _services(store, names)
    terminal.print_json(
        [
            one.to_dict() if isinstance(one, LaterJob) else as_dict(one, services.get(one.name))
            for one in found
        ]
    )


def pause(name: JobArgument, json: JsonOption = False, redis: RedisOption = None) -> None:
    """Let a job fire no more, until resumed.

    Runs that are under way, or wait in a queue, go on; runs by hand are made as before. Those of
    a service are stopped.

    Examples:
      jober pause nightly
    """
    with fleet(redis) as jober:
        done = jober.pause(name)
    _tell(name, "paused", done, json)


def resume(name: JobArgument, json: JsonOption = False, redis: RedisOption = None) -> None:
    """Let a paused job fire again.

    A service is started. What becomes of the fires that it missed is what its `catch_up` says.

    Examples:
      jober resume nightly
    """
    with fleet(redis) as jober:
        done = jober.resume(name)
    _tell(name, "resumed", done, json)


def remove(
    name: JobArgument,
    force: Annotated[
        bool,
        Option("--force", help="Also while a run goes on, and if it is protected."),
    ] = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Remove a job; what waits is cancelled.

    It is refused while a run of the job goes on, and where the job is protected; with --force it is
    removed nevertheless, and what runs goes on. A service is stopped. The history stays a week.
    `jober apply` of a file that has it brings it back.

    Examples:
      jober remove nightly
      jober remove nightly --force
    """
    with fleet(redis) as jober:
        jober.remove_job(name, force=force)
    _tell(name, "removed", True, json)


def prune(json: JsonOption = False, redis: RedisOption = None) -> None:
    """Remove the volatile jobs that are over.

    Those are jobs with `volatile = true` that will not fire again, and of which no run waits or
    goes on. A scheduler does the same within 5 seconds.

    Examples:
      jober prune
      jober prune --json
    """
    with fleet(redis) as jober:
        names = jober.prune()
    if json:
        terminal.print_json({"removed": names})
    elif names:
        for name in names:
            terminal.say(f"removed {name}")
    else:
        terminal.note("no volatile job is over")


def _tell(name: str, action: str, done: bool, json: bool) -> None:
    if json:
        terminal.print_json({"job": name, "action": action, "changed": done})
    elif done:
        terminal.say(f"{action} {name}")
    else:
        was = "paused already" if action == "paused" else "not paused"
        terminal.say(f"{name} was {was}")


def as_dict(record: "JobRecord", service: "Service | None") -> dict[str, Any]:
    """As JSON; `service` is null for a job that is none, else how each of its places stands."""
    places = [place.to_dict() for place in service.places] if service else None
    return {**record.to_dict(), "service": places}


def _services(store: Store, names: Sequence[str]) -> "dict[str, Service]":
    return {service.name: service for service in store.services.of(names)} if names else {}


def next_text(job: "ListedJob", service: "Service | None", now_ms: int) -> Text:
    """When the job is due, or why it is not; of a service how it stands."""
    if job.paused:
        return terminal.state("paused")
    if job.is_service:
        return service_text(service, now_ms)
    if job.schedule is None:
        return Text("by hand", style="dim")
    if job.next_ms is None:
        return Text("–", style="dim")
    text = Text(moment(job.next_ms, now_ms))
    return text.append(f" {relative(job.next_ms, now_ms)}", style="dim")


def last_text(run: Run | None, now_ms: int) -> Text:
    """How the last run went, and when."""
    if run is None:
        return Text("none", style="dim")
    text = terminal.state(run.state)
    when = run.ended_at_ms or run.started_at_ms or run.enqueued_at_ms
    return text.append(f" {relative(when, now_ms)}", style="dim") if when else text


def last_runs(store: Store, names: Sequence[str]) -> dict[str, Run]:
    """The newest run of each job, where it is cheap to tell."""
    found: dict[str, Run] = {}
    newest = store.runs.page(limit=_NEWEST_RUNS)
    for run in newest:
        if run.job is not None:
            found.setdefault(run.job, run)
    others = [name for name in names if name not in found]
    if len(newest) == _NEWEST_RUNS and len(others) <= _ASKED_AT_MOST:
        for name in others:
            found.update((name, run) for run in store.runs.page(name, limit=1))
    return found
