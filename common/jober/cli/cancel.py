"""`jober cancel`: stop a run, all of a job, or all on a host."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, Option, RedisOption, WrongCall
from jober.client import Jober
from jober.errors import JoberError, JobNotFound, RunNotFound, did_you_mean
from jober.words import count

# How often a long work tells how far it is.
_TELL_S = 1.0


def cancel(
    run: Annotated[
        str | None, Argument(metavar="RUN", help="The id of a run.", show_default=False)
    ] = None,
    job: Annotated[
        str | None,
        Option("--job", metavar="NAME", help="All runs of this job.", show_default=False),
    ] = None,
    host: Annotated[
        str | None,
        Option(
            "--all-on",
            metavar="HOST",
            help="All that run on this host, and that wait for it alone.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[
        bool, Option("--wait", help="Wait until all have ended. (default: ask, and return)")
    ] = False,
    yes: Annotated[
        bool, Option("--yes", "-y", help="Do not ask first. (default: ask in a terminal)")
    ] = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> int:
    """Stop a run, all of a job, or all on a host.

    A run that waits is taken out of its queue at once. One that runs is sent TERM, and KILL after
    its job's grace. One that has ended stays as it is, and the exit status is 0 then too. Fires
    that come later make runs as before: `jober pause` stops them; and a service is started anew.

    Examples:
      jober cancel nightly-20261121T020000Z
      jober cancel nightly-20261121T020000Z --wait
      jober cancel --job nightly
      jober cancel --all-on db1 --wait --yes
    """
    if sum(one is not None for one in (run, job, host)) != 1:
        raise WrongCall("give one of RUN, --job NAME and --all-on HOST")
    with fleet(redis) as jober:
        if run is not None:
            _cancel_one(jober, run, wait, json)
            return 0
        if job is not None:
            return _cancel_all(jober, _of_job(jober, job), f"of {job}", wait, yes, json)
        assert host is not None
        return _cancel_all(jober, _on_host(jober, host), f"on {host}", wait, yes, json)


def _cancel_one(jober: Jober, run: str, wait: bool, json: bool) -> None:
    try:
        handle = jober.handle(run)
    except RunNotFound:
        _tell_runs_of_job(jober, run)
        raise
    had_begun = handle.run.attempt > 0
    done = handle.cancel()
    after = handle.wait() if wait else handle.run
    if json:
        terminal.print_json({**after.to_dict(), "cancel": done})
    elif done == "withdrawn":
        waited = "waited for another attempt" if had_begun else "had not started"
        terminal.say(f"cancelled {run}, which {waited}")
    elif done != "asked":
        terminal.say(f"{run} had ended as {done}")
    elif wait:
        terminal.say(f"{run} ended as {after.state}")
    else:
        terminal.say(f"asked {after.host} to stop {run}")


def _of_job(jober: Jober, name: str) -> list[str]:
    found = jober.store.live_runs.of_job(name)
    if not found and not jober.runs(name, limit=1):
        jober.job(name)  # of a removed one, there might be runs
    return found


def _on_host(jober: Jober, host: str) -> list[str]:
    found = jober.store.live_runs.on_host(host)
    live = {agent.host for agent in jober.agents()}
    if not found and host not in live:
        terminal.note(f"no agent is live on '{host}'{did_you_mean(host, live)}")
    return found


def _cancel_all(
    jober: Jober, ids: Sequence[str], whose: str, wait: bool, yes: bool, json: bool
) -> int:
    """Cancel them in batches, and tell how far it is where that takes long."""
    if not ids:
        if json:
            terminal.print_json([])
        else:
            terminal.note(f"no run {whose} goes on or waits")
        return 0
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        if not typer.confirm(f"Cancel {count(len(ids), 'run')} {whose}?", err=True):
            terminal.note("nothing was cancelled")
            return 1
    told = _teller(len(ids))
    done: dict[str, str] = {}
    for batch in jober.cancel_all(ids):
        done |= batch
        told(f"cancelled {len(done)}", len(done))
    asked = [id for id, what in done.items() if what == "asked"]
    if wait:
        for number, id in enumerate(asked):
            told(f"{number} of {len(asked)} have stopped", number)
            jober.handle(id).wait()
    if json:
        terminal.print_json([{"id": id, "cancel": what} for id, what in done.items()])
        return 0
    withdrawn = sum(what == "withdrawn" for what in done.values())
    ended = len(done) - withdrawn - len(asked)
    parts = [
        f"cancelled {count(withdrawn, 'run')} that waited" if withdrawn else "",
        f"{'stopped' if wait else 'asked to stop'} {count(len(asked), 'run')}" if asked else "",
        f"{ended} had ended by then" if ended else "",
    ]
    terminal.say(", ".join(part for part in parts if part))
    return 0


def _teller(total: int) -> Callable[[str, int], None]:
    """Tells a line on stderr, once in a while."""
    last = time.monotonic()

    def tell(text: str, number: int) -> None:
        nonlocal last
        if number < total and time.monotonic() - last >= _TELL_S:
            last = time.monotonic()
            terminal.note(f"{text}, of {total}" if text.startswith("cancelled") else text)

    return tell


def _tell_runs_of_job(jober: Jober, name: str) -> None:
    """Where the name of a job was given for that of a run: raise an error with its live runs."""
    try:
        jober.job(name)
    except JobNotFound:
        return
    live = [run.id for run in jober.runs(name, limit=20) if not run.state.is_final]
    told = f"its live runs: {', '.join(live)}" if live else "none of its runs is live"
    raise JoberError(
        f"'{name}' is a job, not a run; {told} (all of them: jober cancel --job {name})"
    )
