"""The runs of one fire over hosts: those that said the same in a group, the odd host first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jober.run import Run
from jober_web.pages.ansi import plain
from jober_web.pages.views.diff import DiffLine, diff
from jober_web.pages.views.run_line import RunLine, run_line
from jober_web.pages.wall import Wall

# So many lines of a group are shown, and compared.
LINES = 200
HOST = "‹host›"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Runs that ended alike and said the same, but for the name of their host. `lines` are what
    they said; of one that is odd, with what differs from what most said."""

    state: str
    runs: tuple[RunLine, ...]
    lines: tuple[DiffLine, ...]
    is_odd: bool
    is_cut: bool

    @property
    def hosts(self) -> list[str]:
        return [run.host or "" for run in self.runs]


@dataclass(frozen=True, slots=True, kw_only=True)
class FireView:
    groups: tuple[Group, ...]
    live: tuple[RunLine, ...]
    number: int
    bad: int


def fire_view(runs: Sequence[Run], outputs: Mapping[str, bytes], wall: Wall) -> FireView:
    """`outputs` by run. What still goes on is told apart: it has not said all yet."""
    ended = [run for run in runs if run.state.is_final]
    groups: dict[tuple[str, int | None, str], list[Run]] = {}
    for run in sorted(ended, key=lambda one: one.host or ""):
        said = _said(outputs.get(run.id, b""), run.host)
        groups.setdefault((str(run.state), run.exit_code, said), []).append(run)
    order = sorted(groups.items(), key=lambda one: (len(one[1]), one[0][0] == "success"))
    usual = order[-1][0][2].split("\n")[:LINES] if order else []
    return FireView(
        groups=tuple(
            _group(state, said, members, usual, at < len(order) - 1, wall)
            for at, ((state, _, said), members) in enumerate(order)
        ),
        live=tuple(run_line(run, wall.now_ms) for run in runs if not run.state.is_final),
        number=len(runs),
        bad=sum(not run.is_good for run in ended),
    )


def _said(output: bytes, host: str | None) -> str:
    """What a run said, without colours, its host's name replaced: that differs on every host."""
    text = "\n".join(plain(line) for line in output.decode("utf-8", "replace").split("\n"))
    if host:
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", HOST, text)
    return text.rstrip("\n")


def _group(
    state: str, said: str, members: Sequence[Run], usual: Sequence[str], is_odd: bool, wall: Wall
) -> Group:
    lines = said.split("\n") if said else []
    shown = lines[:LINES]
    told = diff(usual, shown) if is_odd else diff(shown, shown)
    return Group(
        state=state,
        runs=tuple(run_line(run, wall.now_ms) for run in members),
        lines=tuple(told),
        is_odd=is_odd,
        is_cut=len(lines) > LINES,
    )
