"""docs/redis.md, read: what it tells of keys, channels and events."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "redis.md").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A key or a channel of the page. `expires_s` is None for never; `once`: not from the start."""

    pattern: str
    type: str
    passing: bool
    expires_s: int | None
    once: bool
    fields: frozenset[str]
    text: str

    def matches(self, key: str) -> bool:
        return regex(self.pattern).fullmatch(key) is not None


_PARTS = {
    "<name>": r"[A-Za-z0-9_-]+",
    "<job>": r"[A-Za-z0-9_-]+",
    "<run>": r"[A-Za-z0-9_-]+",
    "<reply>": r"[a-z0-9]+",
    "<delivery>": r"[0-9]+-[0-9]+-[0-9]+",
    "<receiver>": r".+",
    "<owner>": r"[a-z0-9-]+",
    "<user>": r"[A-Za-z0-9][A-Za-z0-9._@+:-]*",
    "<token>": r"[a-z2-7]{10}",
    "<hash>": r"[0-9a-f]{8,64}",
    "[@<host>]": r"(?:@[A-Za-z0-9.-]+)?",
    "<agent>": r"[A-Za-z0-9.-]+-[0-9a-f]{6}",
    "<limit>": r"[A-Za-z0-9][A-Za-z0-9_-]*",
    "<host>": r"[A-Za-z0-9.-]+",
    "<calendar>": r"[A-Za-z][A-Za-z0-9_-]*",
    "<revision>": r"[0-9]+",
    "<queue>": r"[^:]+",
    "<list>": r"(?:tag:.+|role:.+|paused)",
    "<key>": r".+",
}
_UNITS = {"s": 1, "min": 60, "d": 86_400}


def regex(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern)
    for part, regex in _PARTS.items():
        text = text.replace(re.escape(part), regex)
    assert "<" not in text, f"{pattern} has a placeholder that the conventions do not tell of"
    return re.compile(text)


def _first_cells(text: str) -> Iterator[str]:
    """The names in the first column of each table."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`([^`]+)`", line.split("|")[1])


def _entries() -> list[Entry]:
    found = []
    parts = re.split(r"^### `(.+)` · (\w+)( · passing)?$", PAGE, flags=re.MULTILINE)
    for pattern, type, passing, body in zip(*(iter(parts[1:]),) * 4, strict=True):
        text = re.split(r"^## ", body, flags=re.MULTILINE)[0]
        expires = re.search(r"^- \*\*Expires\*\* (never|(\d+) (s|min|d))(.*)$", text, re.MULTILINE)
        assert expires or type == "channel", f"the page does not say when {pattern} expires"
        seconds = int(expires[2]) * _UNITS[expires[3]] if expires and expires[2] else None
        found.append(
            Entry(
                pattern=pattern,
                type=type,
                passing=bool(passing),
                expires_s=seconds,
                once=bool(expires and "once" in expires[4]),
                fields=frozenset(_first_cells(text.split("\n| type |")[0])),
                text=text,
            )
        )
    return found


ENTRIES = _entries()
KEYS = [entry for entry in ENTRIES if entry.type != "channel"]
CHANNELS = [entry for entry in ENTRIES if entry.type == "channel"]


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under the row `heading`."""
    table = PAGE.split(heading, 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


EVENT_FACTS = {
    row[0].strip("`"): frozenset(re.findall(r"`(\w+)`", row[2]))
    for row in rows("| type | what happened |")
}
