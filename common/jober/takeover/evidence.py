"""What the log of a host shows: what was started, when the host was up, what the clock did.

Pure. Lines are put in one at a time, in the order of their file; the stamps of RFC 3164 have
neither year nor zone, and get both when the end of the file is known.
"""

import re
from bisect import bisect_left
from calendar import timegm
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from jober.errors import JoberError
from jober.schedule.zone import Zone
from jober.takeover.log_line import CommandStart, MarkKind, UnitWord, read_message

STARTS_AT_MOST = 1_000_000
_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_LOCAL = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) \S+ ")
_FULL = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)) \S+ ")
_MESSAGE = re.compile(r"([^\s\[:]+)(?:\[(\d+)\])?: ?(.*)")
_RELEVANT = re.compile(r"cron|systemd\[1\]|systemd:|kernel|clock|time", re.IGNORECASE)
_SET_BACK_MS = 120_000
_DAY_MS = 86_400_000

Told = CommandStart | UnitWord | MarkKind | None
_Stamp = tuple[int, int, int, int, int]  # month, day, hour, minute, second


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start in the log: of a user's command, or of a service."""

    at_ms: int
    what: CommandStart | UnitWord


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A boot, a begin of cron, or a clock that was set."""

    at_ms: int
    kind: MarkKind


class TooManyStarts(JoberError):
    """The log tells of more starts than are looked at."""

    def __init__(self) -> None:
        super().__init__(
            f"the log tells of more than {STARTS_AT_MOST:,} starts (look at a shorter time, with "
            "--since)"
        )


class Evidence:
    """All that was read so far, whatever the order in which the files came. Of starts before
    `since_ms` nothing is kept, but that the log reaches back to them."""

    def __init__(self, since_ms: int = 0) -> None:
        self._since_ms = since_ms
        self._starts: dict[tuple[int, CommandStart | UnitWord], Start] = {}
        self._marks: set[tuple[int, MarkKind]] = set()
        self._minutes: set[int] = set()

    def add(self, at_ms: int, told: Told) -> None:
        """A line of the log: what it tells, or that the host wrote it."""
        self._minutes.add(at_ms // 60_000)
        if isinstance(told, MarkKind):
            self._marks.add((at_ms, told))
        elif told is not None and at_ms >= self._since_ms:
            # The same line may stand in syslog and in cron.log.
            self._starts.setdefault((at_ms // 1000, told), Start(at_ms=at_ms, what=told))
            if len(self._starts) > STARTS_AT_MOST:
                raise TooManyStarts

    def starts(self) -> list[Start]:
        """In order. A oneshot service says Starting and Finished, another Started alone: of one
        start, the first word counts."""
        found = sorted(self._starts.values(), key=lambda start: start.at_ms)
        return list(_first_words(found))

    def marks(self) -> list[Mark]:
        return [Mark(at_ms=at_ms, kind=kind) for at_ms, kind in sorted(self._marks)]

    def minutes(self) -> list[int]:
        """The minutes, since the epoch, in which anything was written; in order."""
        return sorted(self._minutes)


def read_lines(
    lines: Iterable[str], newest_ms: int, zone: Zone, evidence: Evidence, before_ms: int = 0
) -> int:
    """Put in the lines of a syslog file, whose last was written at `newest_ms` at the latest.

    Where they go on after lines that were read before, `before_ms` is what that call returned:
    the moment of the last line.
    """
    local: list[tuple[_Stamp, Told]] = []
    minute = ""
    for line in lines:
        full = line[:1].isdigit()
        this_minute = line[:16] if full else line[:12]
        if this_minute == minute and not _RELEVANT.search(line):
            continue
        minute = this_minute
        stamp = (_FULL if full else _LOCAL).match(line)
        if stamp is None:
            continue
        found = _MESSAGE.fullmatch(line[stamp.end() :].rstrip("\n"))
        told = read_message(found[1], found[2] or "", found[3]) if found else None
        if not full:
            month = _MONTHS.get(stamp[1], 0)
            if month:
                day, hour, minutes, seconds = map(int, stamp.groups()[1:])
                local.append(((month, day, hour, minutes, seconds), told))
            continue
        at_ms = _full_ms(stamp[1])
        if at_ms is None:
            continue
        if at_ms < before_ms - _SET_BACK_MS:
            evidence.add(at_ms, MarkKind.CLOCK)
        before_ms = at_ms
        evidence.add(at_ms, told)
    for at_ms, told in _dated(local, newest_ms, zone, before_ms):
        before_ms = at_ms
        evidence.add(at_ms, told)
    return before_ms


def unheard(minutes: list[int], at_ms: int) -> tuple[int | None, int | None] | None:
    """The silence of the log around a moment: the ends of the lines before and after it, in ms,
    None where there are none; None where something was written in that minute or the next."""
    minute = at_ms // 60_000
    place = bisect_left(minutes, minute)
    if place < len(minutes) and minutes[place] <= minute + 1:
        return None
    return (
        (minutes[place - 1] + 1) * 60_000 if place else None,
        minutes[place] * 60_000 if place < len(minutes) else None,
    )


def _full_ms(text: str) -> int | None:
    try:
        return round(datetime.fromisoformat(text.replace(",", ".")).timestamp() * 1000)
    except ValueError:
        return None


def _dated(
    local: list[tuple[_Stamp, Told]],
    newest_ms: int,
    zone: Zone,
    before_ms: int,
) -> Iterator[tuple[int, Told]]:
    """With their years, told from the end, and their moments, told from the beginning: an hour
    that the clock shows twice is passed in the order of the lines."""
    year = datetime.fromtimestamp((newest_ms + _DAY_MS) / 1000, UTC).year
    walls: list[int] = []
    after = timegm(datetime.fromtimestamp((newest_ms + 2 * _DAY_MS) / 1000, UTC).timetuple())
    for (month, day, hour, minute, second), _ in reversed(local):
        wall = _wall(year, month, day, hour, minute, second)
        # Lines may stand some minutes out of order; a year begins where they go back by months.
        if wall is None or wall > after + 180 * 86_400 or (not walls and wall > after):
            year -= 1
            wall = _wall(year, month, day, hour, minute, second)
        walls.append(-1 if wall is None else wall)
        if wall is not None:
            after = wall
    before = before_ms // 1000
    for wall, (_, told) in zip(reversed(walls), local, strict=True):
        if wall < 0:
            continue
        moments = zone.passes(wall) or (zone.after_gap(wall),)
        at = next((one for one in moments if one >= before - 60), moments[-1])
        if at < before - _SET_BACK_MS // 1000:
            yield at * 1000, MarkKind.CLOCK
        before = at
        yield at * 1000, told


def _wall(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return timegm(wall.timetuple())


def _first_words(starts: list[Start]) -> Iterator[Start]:
    begun: set[str] = set()
    for start in starts:
        if isinstance(start.what, UnitWord):
            name = start.what.unit or start.what.description
            if start.what.word == "Finished" or (start.what.word == "Started" and name in begun):
                begun.discard(name)
                continue
            if start.what.word == "Starting":
                begun.add(name)
        yield start
