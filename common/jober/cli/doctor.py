"""`jober doctor`: what is wrong with the fleet, or soon will be, and the mend."""

from typing import TYPE_CHECKING

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JsonOption, RedisOption
from jober.words import count, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from jober.doctor import Finding

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}
_TITLES = {"redis": "Redis", "fleet": "Schedulers and agents", "jobs": "Jobs"}


def doctor(json: JsonOption = False, redis: RedisOption = None) -> int:
    """Tell what is wrong, and the mend of each.

    It looks at Redis (its version, persistence, eviction, access, latency, clock), at schedulers
    and agents (live, of one version, clocks, allow-lists), and at every job (fires, not too often,
    finds a host). It changes nothing. The exit status is 1 where there is a problem, 0 where there
    are warnings only.

    Examples:
      jober doctor
      jober doctor --json | jq -r '.[] | select(.level == "problem") | .what'
    """
    with fleet(redis) as jober:
        found = jober.diagnose()
    if json:
        terminal.print_json([one.to_dict() for one in found])
    else:
        _print(terminal.stdout(), found)
    return 1 if any(one.level == "problem" for one in found) else 0


def _print(console: "Console", found: "Sequence[Finding]") -> None:
    section = None
    for one in found:
        if one.section != section:
            if section is not None:
                console.print()
            console.print(Text(_TITLES[one.section], style="bold"))
            section = one.section
        mark, style = _MARKS[one.level]
        line = Text.assemble("  ", (mark, style), " ")
        if one.where:
            line.append(f"{plain(one.where)} ", style="bold")
        line.append(plain(one.what))
        console.print(line, soft_wrap=True)
        if one.mend:
            console.print(Text(f"      → {plain(one.mend)}", style="dim"), soft_wrap=True)
    console.print()
    problems, warnings = (
        sum(one.level == level for one in found) for level in ("problem", "warning")
    )
    if problems or warnings:
        told = f"{count(problems, 'problem')}, {count(warnings, 'warning')}"
        console.print(Text(told, style="red" if problems else "yellow"), soft_wrap=True)
    else:
        console.print(Text("all is well", style="green"), soft_wrap=True)
