"""What differs between two definitions, line by line, and within a line what."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """A line that is the `same`, an `add` or a `del`, in pieces: which of them have changed."""

    kind: str
    pieces: tuple[tuple[str, bool], ...]

    @property
    def sign(self) -> str:
        return {"add": "+", "del": "−"}.get(self.kind, " ")


def definition_lines(spec: Mapping[str, Any]) -> list[str]:
    """A definition as a page shows it: `field = value`, long values over several lines."""
    lines: list[str] = []
    for field, value in spec.items():
        if isinstance(value, str) and "\n" in value:
            lines += [f'{field} = """', *value.split("\n"), '"""']
            continue
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > 80 and isinstance(value, list | dict):
            text = json.dumps(value, ensure_ascii=False, indent=2)
        lines += f"{field} = {text}".split("\n")
    return lines


def diff(old: Sequence[str], new: Sequence[str]) -> list[DiffLine]:
    """All lines in order; a line that took the place of another follows it."""
    found: list[DiffLine] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found += [DiffLine(kind="same", pieces=((line, False),)) for line in old[a:b]]
        elif what == "replace" and b - a == d - c:
            for before, after in zip(old[a:b], new[c:d], strict=True):
                found += _changed(before, after)
        else:
            found += [DiffLine(kind="del", pieces=((line, False),)) for line in old[a:b]]
            found += [DiffLine(kind="add", pieces=((line, False),)) for line in new[c:d]]
    return found


def _changed(old: str, new: str) -> Iterator[DiffLine]:
    """A line and what took its place, with what differs between the two."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    removed = [("".join(before[a:b]), what != "equal") for what, a, b, _, _ in codes if a < b]
    added = [("".join(after[c:d]), what != "equal") for what, _, _, c, d in codes if c < d]
    yield DiffLine(kind="del", pieces=tuple(removed))
    yield DiffLine(kind="add", pieces=tuple(added))
