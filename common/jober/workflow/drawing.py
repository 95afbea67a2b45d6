"""The graph for people: as a tree of text, and as SVG, readable in light and in dark. Pure."""

from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape, quoteattr

from jober.workflow.graph import Edge, Graph

_WORDS = {
    "needs": "needs it",
    "wait_for": "waits for it",
    "on_success": "on success",
    "on_failure": "on failure",
}
_CHAR, _BOX_HEIGHT, _GAP_X, _GAP_Y, _PAD = 8, 32, 72, 18, 16
_STYLE = """\
svg { font: 13px ui-monospace, monospace; }
rect { fill: #f4f6fa; stroke: #5b6b82; }
text { fill: #1c2530; }
path { fill: none; stroke: #5b6b82; stroke-width: 1.4; }
path.wait_for { stroke-dasharray: 5 4; }
path.on_success { stroke: #1a7f37; }
path.on_failure { stroke: #c4322b; stroke-dasharray: 2 3; }
marker path { fill: #5b6b82; stroke: none; }
@media (prefers-color-scheme: dark) {
  rect { fill: #1f2733; stroke: #8fa1ba; }
  text { fill: #e6ecf4; }
  path { stroke: #8fa1ba; }
  path.on_success { stroke: #56d374; }
  path.on_failure { stroke: #ff7b72; }
  marker path { fill: #8fa1ba; }
}"""


def tree(graph: Graph, names: Sequence[str]) -> list[str]:
    """A line for each job below each that it comes after; what stands below it is told once."""
    among = set(names)
    kinds = {(edge.earlier, edge.later): edge.kind for edge in graph.edges(names)}
    lines: list[str] = []
    told: set[str] = set()
    first = [name for name in names if not among & set(graph.before(name))]
    # Of each that is still to be told: its line's beginning, that of those below it, and its name.
    waiting = [("", "", name, "") for name in reversed(first)]
    while waiting:
        own, below, name, why = waiting.pop()
        after = [one for one in graph.after(name) if one in among]
        again = name in told and after
        told.add(name)
        lines.append(f"{own}{name}{f'  ({why})' if why else ''}{'  …as above' if again else ''}")
        for place, one in enumerate(reversed(after if not again else [])):
            last = place == 0
            word = _WORDS[kinds[name, one]]
            waiting.append(
                (below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), one, word)
            )
    return lines


def svg(
    graph: Graph,
    names: Sequence[str],
    *,
    here: str | None = None,
    link: Callable[[str], str] | None = None,
) -> str:
    """Boxes from left to right, each job right of those that it comes after, and arrows.

    With `link`, which gives the address of a job, it is for a page: each box leads there, that of
    the job `here` stands out, and the page's own style sheet says how it looks."""
    levels = graph.levels(names)
    columns: list[list[str]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
    rank: dict[str, float] = {}
    for name in sorted(levels, key=lambda one: levels[one]):
        before = [rank[one] for one in graph.before(name) if one in rank]
        rank[name] = sum(before) / len(before) if before else float(len(columns[levels[name]]))
        columns[levels[name]].append(name)
    for column in columns:
        column.sort(key=lambda one: rank[one])
    at: dict[str, tuple[float, float, float]] = {}
    x, height = float(_PAD), 0.0
    tallest = max((len(column) for column in columns), default=0)
    for column in columns:
        width = max(len(name) for name in column) * _CHAR + 2 * _PAD
        free = (tallest - len(column)) * (_BOX_HEIGHT + _GAP_Y) / 2
        for place, name in enumerate(column):
            at[name] = (x, _PAD + free + place * (_BOX_HEIGHT + _GAP_Y), float(width))
            height = max(height, at[name][1] + _BOX_HEIGHT)
        x += width + _GAP_X
    total = (max(x - _GAP_X, _PAD) + _PAD, height + _PAD)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total[0]:g}" height="{total[1]:g}" '
        f'viewBox="0 0 {total[0]:g} {total[1]:g}" '
        + ('role="group" class="graph">' if link else 'role="img">'),
        "<title>which jobs come after which</title>",
        "" if link else f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
        *(_arrow(edge, at) for edge in graph.edges(names)),
        *(_linked(_box(name, *at[name]), name, here, link) for name in at),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _arrow(edge: Edge, at: dict[str, tuple[float, float, float]]) -> str:
    x, y, width = at[edge.earlier]
    to_x, to_y, _ = at[edge.later]
    from_x, from_y, to_y = x + width, y + _BOX_HEIGHT / 2, to_y + _BOX_HEIGHT / 2
    bend = _GAP_X / 2
    ends = f"{to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}"
    path = f"M{from_x:g} {from_y:g} C{from_x + bend:g} {from_y:g} {ends}"
    told = escape(f"{edge.earlier} → {edge.later}: {edge.kind}")
    return (
        f'<path class="{edge.kind}" d="{path}" marker-end="url(#tip)"><title>{told}</title></path>'
    )


def _box(name: str, x: float, y: float, width: float) -> str:
    middle = f'x="{x + width / 2:g}" y="{y + _BOX_HEIGHT / 2:g}"'
    return (
        f'<g><rect x="{x:g}" y="{y:g}" width="{width:g}" height="{_BOX_HEIGHT}" rx="6"/>'
        f'<text {middle} text-anchor="middle" dominant-baseline="central">{escape(name)}</text></g>'
    )


def _linked(box: str, name: str, here: str | None, link: Callable[[str], str] | None) -> str:
    """A box that leads to its job, where boxes do."""
    if link is None:
        return box
    stands_out = ' class="here"' if name == here else ""
    told = f"href={quoteattr(link(name))} aria-label={quoteattr(name)}"
    return f"<a {told}{stands_out}>{box}</a>"
