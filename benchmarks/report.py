"""docs/performance.md and its plots, of what the benchmarks told. The same figures make the same
files, byte for byte."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.section import Bar, Section

DOCS = Path(__file__).parent.parent / "docs"
_HEAD = """\
# Performance

Measured by `make bench`: each figure beside what it is compared with, in turn in the same run
(A B A B …), on a private Redis on the same machine; medians of the rounds. Single figures move up
to twofold between a busy and a quiet hour, so look at the ratios. `python -m benchmarks NAME …`
measures some again; `python -m benchmarks --write` measures all, and makes this page of it (with
`--json FILE` in pieces, of which `--of FILE …` makes it).
"""


Machine = Sequence[tuple[str, str]]


def keep(measured: Mapping[str, Sequence[Section]], machine: Machine, file: Path) -> None:
    """Write the figures to a file that `kept` reads, and scripts may."""
    sections = {name: [asdict(section) for section in of] for name, of in measured.items()}
    figures = {"machine": dict(machine), "measured": sections}
    file.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def kept(files: Iterable[Path]) -> tuple[dict[str, list[Section]], Machine]:
    """The figures of some files of `keep`, and the machine that all are of: ValueError where they
    are of several. Of what two files have, the later file's counts."""
    measured: dict[str, list[Section]] = {}
    machine: dict[str, str] = {}
    for file in files:
        figures = json.loads(file.read_text(encoding="utf-8"))
        other = [what for what, which in machine.items() if figures["machine"].get(what) != which]
        if other:
            raise ValueError(f"{file} is not of the same {', '.join(other)} as those before it")
        machine = figures["machine"]
        for name, sections in figures["measured"].items():
            measured[name] = [_section(section) for section in sections]
    return measured, list(machine.items())


def _section(figures: dict[str, Any]) -> Section:
    lists = {
        "columns": tuple(figures["columns"]),
        "rows": tuple(tuple(row) for row in figures["rows"]),
        "notes": tuple(figures["notes"]),
        "bars": tuple(Bar(**bar) for bar in figures["bars"]),
    }
    return Section(**(figures | lists))


def write(measured: Mapping[str, Sequence[Section]], machine: Machine, docs: Path = DOCS) -> Path:
    """Write the page and its plots, in place of those there were; the path of the page."""
    plots = docs / "performance"
    plots.mkdir(parents=True, exist_ok=True)
    for old in plots.glob("*.svg"):
        old.unlink()
    parts = [_HEAD, "## The machine\n", _table(("what", "which"), machine)]
    for name, sections in measured.items():
        for section in sections:
            parts.append(f"## {section.title}\n\n{section.how}\n")
            if section.bars:
                file = plots / f"{name}-{_slug(section.title)}.svg"
                plot(section, file)
                parts.append(f"![{section.title}](performance/{file.name})\n")
            parts.append(_table(section.columns, section.rows))
            if section.notes:
                parts.append("\n".join(f"- {note}" for note in section.notes) + "\n")
    page = docs / "performance.md"
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def plot(section: Section, file: Path) -> None:
    """The bars of a section, the longest on top."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    bars = sorted(section.bars, key=lambda bar: bar.value)
    # Without these, ids are drawn by chance, and the date is in the file.
    with matplotlib.rc_context({"svg.hashsalt": "jober", "svg.fonttype": "none"}):
        figure, axes = pyplot.subplots(figsize=(8, 0.9 + 0.32 * len(bars)), layout="constrained")
        drawn = axes.barh(
            [bar.label for bar in bars],
            [bar.value for bar in bars],
            color=["#2563eb" if bar.ours else "#9ca3af" for bar in bars],
        )
        axes.bar_label(drawn, labels=[_figure(bar.value) for bar in bars], padding=3)
        axes.margins(x=0.12)
        axes.set_xlabel(section.unit)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(file, format="svg", metadata={"Date": None})
        pyplot.close(figure)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
