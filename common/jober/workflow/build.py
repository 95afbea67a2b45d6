"""What has to run for a job to be up to date, as make has it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jober.workflow.graph import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """How a job stands: its newest success, whether a run of it is on its way, and whether its
    newest run ended badly."""

    succeeded_at_ms: int | None = None
    is_going: bool = False
    has_failed: bool = False
    fresh_for_ms: int | None = None


def build_order(
    graph: Graph,
    name: str,
    states: Mapping[str, JobState] | Callable[[str], JobState],
    now_ms: int,
    *,
    with_needs: bool = False,
    with_dependents: bool = False,
) -> tuple[str, ...]:
    """The jobs that get a run, each after those that it waits for; `name` always is among them.

    `with_needs`: those that it needs, and that they need, where they are missing (never succeeded,
    or failed last) or outdated: what they need runs too, or succeeded later than they did, or their
    success is older than their `fresh_for`. One that is on its way is waited for.
    `with_dependents`: all that need it, and that need those.
    """
    state = states if callable(states) else states.__getitem__
    wanted = {name}
    if with_needs:
        wanted |= _outdated(graph, name, state, now_ms)
    if with_dependents:
        waiting = [name]
        while waiting:
            new = [one for one in graph.needed_by(waiting.pop()) if one not in wanted]
            wanted.update(new)
            waiting += new
    return graph.order(wanted)


def _outdated(graph: Graph, name: str, state: Callable[[str], JobState], now_ms: int) -> set[str]:
    """Of all that comes before a job by its needs, what has to run."""
    needed = {name}
    waiting = [name]
    while waiting:
        links = graph.links(waiting.pop())
        new = [one for one in links.needs if one not in needed and one in graph]
        needed.update(new)
        waiting += new
    found: set[str] = set()
    for one in graph.order(needed - {name}):
        now = state(one)
        if now.is_going:
            continue
        needs = [other for other in graph.links(one).needs if other in graph]
        if now.succeeded_at_ms is None or now.has_failed:
            found.add(one)
        elif now.fresh_for_ms:
            if now_ms - now.succeeded_at_ms >= now.fresh_for_ms:
                found.add(one)
        elif any(
            other in found
            or state(other).is_going
            or (state(other).succeeded_at_ms or 0) > now.succeeded_at_ms
            for other in needs
        ):
            found.add(one)
    return found
