"""`jober run`: a run by hand."""

import json as json_format
from typing import Annotated, Any

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.follow import exit_status, follow, write_both
from jober.cli.options import JobArgument, JsonOption, Option, RedisOption, WrongCall
from jober.client import Jober, RunHandle
from jober.client.waiting import no_host
from jober.errors import JoberError, did_you_mean
from jober.placement import Roster
from jober.run import RunState

_INTERRUPTED = 130


def run(
    name: JobArgument,
    arg: Annotated[
        list[str] | None,
        Option(
            "--arg",
            metavar="JSON",
            help="An argument; all together stand in for the job's own args.",
            show_default=False,
        ),
    ] = None,
    kwarg: Annotated[
        list[str] | None,
        Option(
            "--kwarg",
            metavar="KEY=JSON",
            help="An argument by name; all together stand in for the job's own kwargs.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str | None,
        Option(
            "--host",
            metavar="HOST",
            help="On this host, whatever its roles. "
            "(default: any of the job's; each or some of them where its `on` says so)",
            show_default=False,
        ),
    ] = None,
    expires: Annotated[
        float | None,
        Option(
            "--expires",
            metavar="SECONDS",
            help="Where it is not started within so long, it is missed. (default: as the job says)",
            show_default=False,
        ),
    ] = None,
    with_needs: Annotated[
        bool,
        Option("--with-needs", help="Run first what it needs that is missing or outdated."),
    ] = False,
    with_dependents: Annotated[
        bool, Option("--with-dependents", help="Run then what needs it, and what needs that.")
    ] = False,
    force: Annotated[
        bool,
        Option("--force", help="Wait for nothing but results, and run though it is fresh."),
    ] = False,
    to_follow: Annotated[
        bool, Option("-f", "--follow", help="Print what it writes, until it has ended.")
    ] = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> int:
    """Run a job now.

    Prints the id of the run, and returns at once. It waits for a slot of its job as any other
    run does, and for the runs of other jobs that it needs; it runs even where the job is paused.

    With --follow, its stdout goes to stdout and its stderr to stderr, and the exit status is
    that of the run: 0 for a success and for what was skipped, 124 where it timed out, 1 where
    it failed without one (lost, cancelled).
    Ctrl-C stops following and leaves the run alone; the exit status is 130 then.

    Examples:
      jober run nightly
      jober run nightly --follow
      jober run sum --arg 1 --arg 2 --follow
      jober run report --with-needs --with-dependents
      jober run report --kwarg day='"2026-11-21"' --host db1
      jober logs -f $(jober run nightly)
    """
    if to_follow and json:
        raise WrongCall("--follow prints what the run writes: leave --json out")
    args = [_json("--arg", text) for text in arg] if arg else None
    asked: dict[str, Any] = {
        "args": args,
        "kwargs": dict(_pair(text) for text in kwarg) if kwarg else None,
        "expires": expires,
        "with_needs": with_needs,
        "with_dependents": with_dependents,
        "force": force,
    }
    with fleet(redis) as jober:
        if to_follow:
            return _followed(jober, _only_one(jober, name, host, asked))
        handles = _start(jober, name, host, asked)
        several = host is None and jober.job(name).job.on != "any"
        if json:
            told = [handle.run.to_dict() for handle in handles]
            terminal.print_json(told if several else told[0])
            return 0
        for handle in handles:
            terminal.say(handle.id)
        asked_for, agents = jober.job(name).job.queue, jober.agents()
        if host is None and not Roster.of(agents).hosts_for(asked_for):
            terminal.note(f"it waits: {no_host(asked_for, agents)}")
        else:
            terminal.note(f"follow it with: jober logs -f {handles[0].id}")
    return 0


def _start(jober: Jober, name: str, host: str | None, asked: dict[str, Any]) -> list[RunHandle]:
    if host is not None:
        _check_host(jober, host)
    elif jober.job(name).job.on != "any":
        return jober.run_everywhere(name, **asked)
    return [jober.run(name, host=host, **asked)]


def _only_one(jober: Jober, name: str, host: str | None, asked: dict[str, Any]) -> RunHandle:
    job = jober.job(name).job
    if host is None and job.on != "any":
        hosts = jober.hosts_for(job)
        several = min(len(hosts), job.on) if isinstance(job.on, int) else len(hosts)
        if several > 1:
            raise JoberError(
                f"job '{name}' runs on {several} hosts, and one run can be followed: "
                f"name one with --host ({', '.join(hosts)})"
            )
    return _start(jober, name, host, asked)[0]


def _followed(jober: Jober, handle: RunHandle) -> int:
    try:
        ended = follow(jober, handle.id, write_both)
    except KeyboardInterrupt:
        terminal.note(f"{handle.id} goes on: jober logs -f {handle.id}, or jober cancel it")
        return _INTERRUPTED
    assert ended is not None
    status = exit_status(ended)
    if ended.return_value is not None:
        terminal.note(f"it returned {ended.return_value[:2000]}")
    # Of a success there is a reason where its return value could not be kept as it was.
    if status or ended.reason or ended.state is not RunState.SUCCESS:
        told = f": {ended.reason}" if ended.reason else ""
        terminal.note(f"{ended.id} ended as {ended.state}{told}")
    return status


def _check_host(jober: Jober, host: str) -> None:
    """A run for a host that is not there would wait for ever."""
    agents = jober.agents()
    live = sorted({agent.host for agent in agents if agent.state == "up"})
    if host not in live and host in {agent.host for agent in agents}:
        states = sorted({agent.state for agent in agents if agent.host == host})
        raise JoberError(f"host '{host}' is {states[0]}: it takes no new runs")
    if host not in live:
        there = f"; live: {', '.join(live[:10])}" if live else "; no host is"
        raise JoberError(f"no agent is live on host '{host}'{did_you_mean(host, live)}{there}")


def _json(option: str, text: str) -> Any:
    try:
        return json_format.loads(text)
    except ValueError:
        quoted = json_format.dumps(text, ensure_ascii=False)
        raise WrongCall(f"{option}: '{text}' is not JSON; text is written '{quoted}'") from None


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise WrongCall(f"--kwarg: '{text}' is not KEY=JSON")
    return name, _json(f"--kwarg {name}", value)
