"""The code blocks of a page, as a reader meets them.

A block says by its language what it is: `sh` is typed, in `console` what follows each `$ command`
is what it prints (`…` stands for anything), `text` is for looking at. A title, as in
```` ```toml title="fleet.toml" ````, names the file that it is the content of. One that cannot be
run on any machine says why in a comment above it: `<!-- not run: it needs root -->`.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(
    r"(?:^[ ]*<!-- not run: (?P<reason>[^>]+?) -->\n+)?"
    r"^(?P<indent>[ ]*)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```[ ]*$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block; `reason` is why it is not run."""

    page: str
    line: int
    language: str
    title: str | None
    text: str
    reason: str | None

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """All of them, in their order."""
    text = page.read_text("utf-8")
    name = page.relative_to(ROOT).as_posix()
    found = []
    for block in _BLOCK.finditer(text):
        language, _, more = block["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', more)
        found.append(
            Block(
                page=name,
                line=text.count("\n", 0, block.start("text")),
                language=language,
                title=title[1] if title else None,
                text=dedent(block["text"]),
                reason=block["reason"],
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A command as it is typed, over one line or several. What it has to print is None where the
    page does not tell."""

    place: str
    text: str
    printed: str | None = None


def statements(block: Block) -> Iterator[Statement]:
    """The commands of a block in `sh` or `console`."""
    if block.language == "console":
        yield from _shown(block)
        return
    typed, begun = "", block.line
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if not typed:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            begun = number
        typed += line + "\n"
        if not line.endswith("\\") and problem_of(typed) is None:
            yield Statement(place=f"{block.page}:{begun}", text=typed.rstrip("\n"))
            typed = ""
    assert not typed, f"{block.place}: {problem_of(typed)}"


def _shown(block: Block) -> Iterator[Statement]:
    parts = re.split(r"^\$ (.*(?:\\\n.*)*)\n", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"{block.place}: it prints before a command is typed"
    line = block.line + 1
    for command, printed in zip(parts[1::2], parts[2::2], strict=True):
        yield Statement(place=f"{block.page}:{line}", text=command, printed=printed)
        line += 1 + command.count("\n") + printed.count("\n")


@cache
def problem_of(typed: str) -> str | None:
    """Why a shell cannot read it; None where it can."""
    told = subprocess.run(["bash", "-n"], input=typed, capture_output=True, text=True)
    return told.stderr.strip() or None


def is_printed(expected: str, printed: str) -> bool:
    """Whether it was printed, where `…` is any text within a line, or any lines by itself."""
    told = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    lines = [line.rstrip() for line in expected.rstrip().splitlines()]
    pattern = ""
    for line in lines:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += re.sub(r"\\ (?:\\ )+", r" +", re.escape(line)).replace("…", ".*") + r"\n"
    return re.fullmatch(pattern, told + "\n") is not None
