"""A time zone as a table of spans, in each of which the wall clock runs at one offset.

The table comes from pytz (`_utc_transition_times` and `_transition_info`, undocumented but
unchanged for fifteen years), so the offsets are the ones pytz would give. pytz reads only the
32-bit block of its zone files and so ends in 2037. Later spans are found by asking the
standard library's `zoneinfo` about the very same file (`pytz.open_resource`): it knows the
64-bit block and the POSIX rule at its end, and the release of the data is the same, whatever
the host has installed. They are found when first asked for, fifty years at a time, and from
2500 on as a copy of the 400 years before.

All numbers are whole seconds: `utc` since the Unix epoch, `wall` the same count on the clock
on the wall (`wall = utc + offset`).
"""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

import pytz

from jober.errors import ScheduleError, did_you_mean

Gap = Literal["after", "skip"]
Repeat = Literal["first", "last", "both"]
GAPS: tuple[str, ...] = get_args(Gap)
REPEATS: tuple[str, ...] = get_args(Repeat)

FIRST = -62_135_596_800 + 2 * 86_400  # year 1, and room for any offset
LAST = 253_402_300_799 - 2 * 86_400  # year 9999, likewise
_DAY = 86_400
_WEEK = 7 * _DAY
_PYTZ_ENDS = 2_145_916_800  # 2038-01-01, after the last transition that pytz can know
_STRIDE = 50 * 365 * _DAY
# The calendar comes round after 400 years, to the weekday; and from 2100 on, when no file
# lists single transitions any more, so does every zone.
_ROUND = 146_097 * _DAY
_ROUND_FROM = 4_102_444_800


class Table(NamedTuple):
    """The spans in order. A wall time is shown once, in span i alone, if
    `safe_from[i] <= wall - offsets[i] < safe_until[i]`; elsewhere it may be repeated.
    `epochs[i]` is 1970-01-01 00:00 on the wall, with the tzinfo of the span.
    """

    starts: list[int]
    ends: list[int]
    offsets: list[int]
    safe_from: list[int]
    safe_until: list[int]
    epochs: list[datetime]


class Zone:
    """A named zone; get it from `zone(name)`. `table` only ever grows."""

    __slots__ = ("_horizon", "_tz", "name", "table")

    def __init__(self, name: str) -> None:
        self._tz = pytz.timezone(name)
        self.name: str = self._tz.zone or "UTC"  # as the list writes it
        spans: list[tuple[int, int, tzinfo]]
        times: list[datetime] | None = getattr(self._tz, "_utc_transition_times", None)
        if times is None:
            fixed = self._tz.utcoffset(None)
            assert fixed is not None
            self._horizon = LAST
            spans = [(FIRST - 2 * _DAY, round(fixed.total_seconds()), self._tz)]
        else:
            self._horizon = _PYTZ_ENDS
            infos = self._tz._transition_info  # type: ignore[union-attr]
            known: dict[object, tzinfo] = self._tz._tzinfos  # type: ignore[union-attr]
            spans = [
                (_seconds(time), round(info[0].total_seconds()), known[info])
                for time, info in zip(times, infos, strict=True)
            ]
        self.table = _table(spans, self._horizon)

    def __repr__(self) -> str:
        return f"Zone({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return self is other or isinstance(other, Zone) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return zone, (self.name,)

    def reach(self, utc: int) -> Table:
        """The table, grown to hold `utc` and some days more."""
        while utc > self._horizon - _WEEK and self._horizon < LAST:
            self._grow()
        return self.table

    def aware(self, moment_ms: int) -> datetime:
        """The moment as a datetime of this zone, with pytz's own tzinfo."""
        utc, millis = divmod(moment_ms, 1000)
        table = self.table if utc < _PYTZ_ENDS - _WEEK else self.reach(utc)
        span = bisect_right(table.starts, utc) - 1
        return table.epochs[span] + timedelta(0, utc + table.offsets[span], millis * 1000)

    def wall(self, utc: int) -> int:
        """What the clock on the wall shows at `utc`."""
        table = self.reach(utc)
        return utc + table.offsets[bisect_right(table.starts, utc) - 1]

    def passes(self, wall: int) -> tuple[int, ...]:
        """Every instant at which the wall shows `wall`, in order; none if it lies in a gap."""
        table = self.reach(wall)
        near = bisect_right(table.starts, wall) - 1
        return tuple(
            wall - table.offsets[span]
            for span in range(max(near - 3, 0), min(near + 4, len(table.starts)))
            if table.starts[span] <= wall - table.offsets[span] < table.ends[span]
        )

    def read(self, wall: int, gap: Gap, repeat: Repeat) -> tuple[int, ...]:
        """The instants that a wall time stands for, under the two choices."""
        found = self.passes(wall)
        if not found:
            return (self.after_gap(wall),) if gap == "after" else ()
        if repeat == "first":
            return found[:1]
        return found[-1:] if repeat == "last" else found

    def after_gap(self, wall: int) -> int:
        """The first instant after the gap in which `wall`, which is never shown, lies."""
        table = self.reach(wall)
        near = bisect_right(table.starts, wall) - 1
        for span in range(max(near - 3, 0), len(table.starts)):
            if table.starts[span] + table.offsets[span] > wall:
                return table.starts[span]
        return LAST

    def pieces(self, day: int) -> tuple[tuple[int, int, int], ...]:
        """How a day, counted from the epoch, is shown: each stretch, in the order of time, from
        the first to before the last second of the day, and the offset that it runs at. None for
        a day that the zone leaves out, two or more where a change of offset falls into it."""
        midnight = day * _DAY
        table = self.reach(midnight + 3 * _DAY)
        span = max(bisect_right(table.starts, midnight - 2 * _DAY) - 1, 0)
        found = []
        while span < len(table.starts) and table.starts[span] < midnight + 3 * _DAY:
            offset = table.offsets[span]
            low = max(table.starts[span] + offset - midnight, 0)
            high = min(table.ends[span] + offset - midnight, _DAY)
            if low < high:
                found.append((low, high, offset))
            span += 1
        return tuple(found)

    def _grow(self) -> None:
        """Add the spans of the next fifty years; from 2500, of all the years there are."""
        table = self.table
        spans = [
            (start, offset, _tzinfo(epoch))
            for start, offset, epoch in zip(table.starts, table.offsets, table.epochs, strict=True)
        ]
        if self._horizon >= _ROUND_FROM + _ROUND:
            until = LAST
            last_round = [span for span in spans if span[0] > self._horizon - _ROUND]
            for shift in range(_ROUND, until - self._horizon + _ROUND, _ROUND):
                spans += [(start + shift, offset, info) for start, offset, info in last_round]
            spans = [span for span in spans if span[0] < until]
        else:
            until = min(self._horizon + _STRIDE, _ROUND_FROM + _ROUND)
            spans += self._probed(self._horizon, until)
        self._horizon, self.table = until, _table(spans, until)

    def _probed(self, since: int, until: int) -> list[tuple[int, int, tzinfo]]:
        """The spans that begin in since < start <= until, by asking `zoneinfo` week by week."""
        with pytz.open_resource(self.name) as file:  # type: ignore[attr-defined]
            rule = ZoneInfo.from_file(file, key=self.name)
        spans: list[tuple[int, int, tzinfo]] = []
        offset = _offset(rule, since)
        while since < until:
            ahead = min(since + _WEEK, until)
            changed = _offset(rule, ahead)
            if changed != offset:
                low, high = since, ahead
                while high - low > 1:
                    middle = (low + high) // 2
                    if _offset(rule, middle) == offset:
                        low = middle
                    else:
                        high = middle
                spans.append((high, changed, self._info(rule, high)))
            since, offset = ahead, changed
        return spans

    def _info(self, rule: ZoneInfo, utc: int) -> tzinfo:
        """pytz's tzinfo of the same offset and, if there is one, the same name."""
        moment = datetime.fromtimestamp(utc, rule)
        offset = moment.utcoffset()
        assert offset is not None
        known: dict[tuple[timedelta, timedelta, str], tzinfo] = getattr(self._tz, "_tzinfos", {})
        same = [
            (info[2] != moment.tzname(), order, found)
            for order, (info, found) in enumerate(known.items())
            if info[0] == offset
        ]
        return min(same)[2] if same else timezone(offset, moment.tzname() or "")


@lru_cache(maxsize=1024)
def zone(name: str) -> Zone:
    """The zone of an IANA name; ScheduleError if there is none."""
    try:
        return Zone(name)
    except (pytz.UnknownTimeZoneError, AttributeError):
        near = did_you_mean(str(name), pytz.all_timezones)
        raise ScheduleError(
            f"'{name}' is not a time zone{near}",
            field="timezone",
            value=name,
            mend="name one of the IANA list, as Europe/Warsaw, or UTC",
        ) from None


def wall_text(wall: int) -> str:
    """`02:30`, or `02:30:15` where there are seconds."""
    second = wall % 60
    text = f"{wall % _DAY // 3600:02d}:{wall % 3600 // 60:02d}"
    return f"{text}:{second:02d}" if second else text


def wall_date(wall: int) -> str:
    """`2027-03-28`."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wall)).strftime("%Y-%m-%d")


def _seconds(utc: datetime) -> int:
    return round((utc.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def _tzinfo(epoch: datetime) -> tzinfo:
    assert epoch.tzinfo is not None
    return epoch.tzinfo


def _offset(rule: ZoneInfo, utc: int) -> int:
    offset = datetime.fromtimestamp(utc, rule).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _table(spans: list[tuple[int, int, tzinfo]], horizon: int) -> Table:
    starts = [start for start, _, _ in spans]
    offsets = [offset for _, offset, _ in spans]
    ends = [*starts[1:], horizon]
    epochs = [datetime(1970, 1, 1, tzinfo=info) for _, _, info in spans]
    safe_from: list[int] = []
    shown = starts[0] + offsets[0]  # walls before this may have been shown in an earlier span
    for start, end, offset in zip(starts, ends, offsets, strict=True):
        safe_from.append(max(start, shown - offset))
        shown = max(shown, end + offset)
    safe_until: list[int] = []
    # Beyond the horizon nothing is known yet: its last days count as doubtful.
    shown = horizon - 2 * _DAY
    for start, end, offset in zip(starts[::-1], ends[::-1], offsets[::-1], strict=True):
        safe_until.append(min(end, shown - offset))
        shown = min(shown, start + offset)
    return Table(starts, ends, offsets, safe_from, safe_until[::-1], epochs)
