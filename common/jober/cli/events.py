"""`jober events`: what happened to jobs, runs, agents and the leader."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from rich.console import Console
from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JsonOption, Option, RedisOption
from jober.cli.patience import Patience
from jober.client import Jober
from jober.clock import to_ms
from jober.errors import RedisUnavailable
from jober.event import Event
from jober.words import moment, plain, relative

_INTERRUPTED = 130
_STYLES = {
    "fire.missed": "red",
    "fire.skipped": "yellow",
    "run.started": "blue",
    "run.queued": "dim",
    "run.parked": "dim",
    "run.retrying": "yellow",
    "agent.lost": "red",
    "leader.elected": "green",
    "leader.resigned": "yellow",
}


def events(
    to_follow: Annotated[
        bool, Option("-f", "--follow", help="Go on as they happen, until Ctrl-C.")
    ] = False,
    number: Annotated[int, Option("-n", "--number", min=0, metavar="N", help="The newest N.")] = 50,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> int:
    """Tell what happened, and what happens.

    Oldest first. With --json it is an array; with --follow too, an object on each line.

    Examples:
      jober events -n 20
      jober events -f
      jober events -f --json | jq -c 'select(.type == "fire.missed")'
    """
    with fleet(redis) as jober:
        found = jober.recent_events(number)[::-1] if number else []
        after = found[-1].id if found else jober.store.events.last_id()
        now_ms = jober.store.clock.now_ms()
        if json and not to_follow:
            terminal.print_json([event.to_dict() for event in found])
            return 0
        console = terminal.stdout()

        def tell(event: Event) -> None:
            if json:
                terminal.print_json_line(event.to_dict())
            else:
                print_event(console, event, jober.store.clock.now_ms() if to_follow else now_ms)

        for event in found:
            tell(event)
        if not to_follow:
            if not found:
                terminal.note("nothing has happened yet: jober apply FILE")
            return 0
        try:
            _follow(jober, after, tell)
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0


def _follow(jober: Jober, after: str, tell: Callable[[Event], None]) -> None:
    """Tell what comes after that event, over restarts of Redis too."""
    patience = Patience()
    while True:
        try:
            for told in jober.store.events.follow(after):
                patience.answered()
                if told is not None:
                    tell(told)
                    after = told.id
        except RedisUnavailable as error:
            patience.wait(error)


def print_event(console: Console, event: Event, now_ms: int) -> None:
    """One line: when, what, to whom, and the rest of its facts."""
    facts = dict(event.facts)
    state = facts.pop("state", None)
    subject = facts.pop("run", None)
    if subject:
        # Its id tells the job and the fire; the rest is told where it is out of the ordinary.
        for name in ("job", "agent", "fire_at", "queue"):
            facts.pop(name, None)
        for name, usual in (("trigger", "schedule"), ("attempt", "1"), ("exit_code", "0")):
            if facts.get(name) == usual:
                del facts[name]
    else:
        subject = facts.pop("job", None) or facts.pop("agent", None) or facts.pop("node", None)
    if "retry_at" in facts:
        due_ms = to_ms(datetime.fromisoformat(facts.pop("retry_at")))
        facts["again"] = relative(due_ms, event.at_ms)
    line = Text(f"{moment(event.at_ms, now_ms):<12}  ", style="dim")
    line.append(f"{event.type:<15}  ", style=_STYLES.get(event.type, "default"))
    line.append(plain(subject or ""), style="default")
    if state:
        line.append("  ").append_text(terminal.state(state))
    rest = "  ".join(
        value if name in ("host", "reason") else f"{name} {value}" for name, value in facts.items()
    )
    if rest:
        line.append(f"  {plain(rest)}", style="dim")
    console.print(line, soft_wrap=True)
    if console.file.isatty():
        return
    console.file.flush()
