"""The text of one cron field, read into the sorted values it stands for.

The grammar is Debian cron's (numbers, names, `*`, ranges, steps, lists), with `H` of Jenkins
and `~` of OpenBSD: a value spread by name, so that it is the same at each reading. What only
the day fields know (`?`, `L`, `W`, `#`) is read in `cron_days`.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from jober.errors import ScheduleError, did_you_mean

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """A field: the values it may hold, and the names of some of them.

    `spread` is the last value that `H` may take: no month is too short for its day.
    """

    name: str
    low: int
    high: int
    spread: int
    names: tuple[str, ...] = ()

    def refuse(self, problem: str, mend: str | None = None) -> NoReturn:
        raise ScheduleError(f"{self.name} {problem}", field="cron", mend=mend)


SECOND = Field(name="second", low=0, high=59, spread=59)
MINUTE = Field(name="minute", low=0, high=59, spread=59)
HOUR = Field(name="hour", low=0, high=23, spread=23)
DAY = Field(name="day of month", low=1, high=31, spread=28)
MONTH = Field(name="month", low=1, high=12, spread=12, names=MONTHS)
WEEKDAY = Field(name="day of week", low=0, high=7, spread=6, names=WEEKDAYS)
_EVERY = {
    field: tuple(range(field.low, field.high + 1))
    for field in (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)
}


def values(field: Field, text: str, seed: str) -> tuple[int, ...]:
    """The sorted values of a field's text; `seed` is the job's name, for `H` and `~`.

    Day of week keeps 7 as it stands. ScheduleError, field `cron`, tells what is wrong.
    """
    text = text.lower()
    if text == "*":
        return _EVERY[field]
    return _values(field, text, seed if is_spread(text) else "")


def is_spread(text: str) -> bool:
    """Whether the text, in lower case, holds an `H` or a `~`."""
    return "~" in text or "h" in text and "h" in text.replace("thu", "")


@lru_cache(maxsize=4096)
def _values(field: Field, text: str, seed: str) -> tuple[int, ...]:
    if "," not in text:
        return tuple(_item(field, text, seed))
    found: set[int] = set()
    for item in text.split(","):
        found.update(_item(field, item, seed))
    return tuple(sorted(found))


def number(field: Field, text: str) -> int:
    """One value of the field, by number or name."""
    if text.isascii() and text.isdigit():
        value = int(text)
        if not field.low <= value <= field.high:
            field.refuse(
                f"{text} is not in {field.low}-{field.high}", "write a number of that range"
            )
        return value
    if text in field.names:
        return field.names.index(text) + field.low
    if not text:
        field.refuse("has an empty place", "write a number, or * for every one")
    if field.names:
        near = did_you_mean(text, field.names)
        field.refuse(
            f"'{text}' is no name or number{near}",
            f"{field.low}-{field.high}, or {field.names[0]} to {field.names[-1]}",
        )
    field.refuse(f"'{text}' is not a number", f"{field.low}-{field.high}")


def _item(field: Field, item: str, seed: str) -> range:
    if item.isdigit():
        value = number(field, item)
        return range(value, value + 1)
    body, slash, step_text = item.partition("/")
    step = 1
    if slash:
        if not (step_text.isascii() and step_text.isdigit() and int(step_text) > 0):
            field.refuse(
                f"step '{step_text}' is not a positive number", "write it as */5 or 0-30/5"
            )
        step = int(step_text)
    if body == "h" or body.startswith("h("):
        return _hashed(field, body, step if slash else None, seed)
    if "~" in body:
        low_text, _, high_text = body.partition("~")
        low = number(field, low_text) if low_text else field.low
        high = number(field, high_text) if high_text else field.spread
        return _spread(field, low, high, step if slash else None, seed)
    if body == "*":
        return range(field.low, field.high + 1, step)
    low_text, dash, high_text = body.partition("-")
    if dash and not low_text:
        field.refuse(f"'{body}' is not a number", f"{field.low}-{field.high}")
    low = number(field, low_text)
    if not dash:
        return range(low, (field.high if slash else low) + 1, step)
    high = number(field, high_text)
    if high == 0 and field is WEEKDAY and low > 0:
        high = 7  # fri-sun: only one Sunday can be meant
    if high < low:
        field.refuse(
            f"range {body} runs backwards",
            f"write {low_text}-{field.high if field is not WEEKDAY else 6},"
            f"{field.low}-{high_text} to go round the end",
        )
    return range(low, high + 1, step)


def _hashed(field: Field, body: str, step: int | None, seed: str) -> range:
    low, high = field.low, field.spread
    if body != "h":
        inner = body[2:-1] if body.endswith(")") else ""
        low_text, dash, high_text = inner.partition("-")
        if not dash:
            field.refuse(f"'{body.upper()}' is not a spread", "write H, H(0-30) or H/15")
        low, high = number(field, low_text), number(field, high_text)
    return _spread(field, low, high, step, seed)


def _spread(field: Field, low: int, high: int, step: int | None, seed: str) -> range:
    """One value of low-high, or with a step each one from a start within the first step."""
    if high < low:
        field.refuse(f"range {low}-{high} runs backwards", f"write {high}-{low}")
    width = high - low + 1
    digest = hashlib.blake2b(f"{seed}:{field.name}".encode(), digest_size=8).digest()
    chosen = int.from_bytes(digest)
    if step is None:
        start = low + chosen % width
        return range(start, start + 1)
    return range(low + chosen % min(step, width), high + 1, step)


@lru_cache(maxsize=4096)
def jumps(found: tuple[int, ...], size: int) -> tuple[int, ...]:
    """For each n of 0..size the least value that is not below it; 99 if there is none.

    >>> jumps((0, 2), 3)
    (0, 2, 2, 99)
    """
    if len(found) == size:
        return (*found, 99)
    table: list[int] = []
    for value in found:
        table += [value] * (value + 1 - len(table))
    table += [99] * (size + 1 - len(table))
    return tuple(table)
