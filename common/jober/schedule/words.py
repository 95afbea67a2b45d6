"""Cron in words; only phrases that are surely right, else the expression itself."""

from collections.abc import Sequence

from jober.schedule.cron_days import Days

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()
_NTH = ("last", "first", "second", "third", "fourth", "fifth")
_WORKING = 0b0111110
_WEEKEND = 0b1000001
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MOST_TIMES = 6


def cron_words(
    text: str,
    seconds: tuple[int, ...],
    minutes: tuple[int, ...],
    hours: tuple[int, ...],
    days: Days,
    months: tuple[int, ...],
) -> str:
    """`every weekday at 03:00`, `every 5 minutes`, or `cron 7,9-11/2 3 L * 4#2`."""
    when = _times(seconds, minutes, hours)
    weekly = days.weekly
    if when is None:
        return f"cron {text}"
    if weekly is not None:
        told = _on_weekdays(weekly, when)
        return told if len(months) == 12 else f"{told}, in {_listed(_month_names(months))}"
    on = _in_month(days, months)
    if on is None:
        return f"cron {text}"
    return f"{on} {when}" if when.startswith("at ") else f"{when}, {on}"


def _times(
    seconds: tuple[int, ...], minutes: tuple[int, ...], hours: tuple[int, ...]
) -> str | None:
    """`at 03:00 and 15:00`, or an interval that begins with `every`."""
    every_hour, every_minute = len(hours) == 24, len(minutes) == 60
    if len(seconds) > 1:
        step = _step(seconds, 60)
        if not (step and every_hour and every_minute):
            return None
        return "every second" if step == 1 else f"every {step} seconds"
    second = f":{seconds[0]:02d}" if seconds[0] else ""
    if len(minutes) * len(hours) <= _MOST_TIMES:
        return "at " + _listed([f"{h:02d}:{m:02d}{second}" for h in hours for m in minutes])
    tail = f" at second {seconds[0]}" if second else ""
    step = _step(minutes, 60)
    interval = "every minute" if step == 1 else f"every {step} minutes"
    if every_hour:
        if step:
            return interval + tail
        named = f"minute{'s' if len(minutes) > 1 else ''} {_listed([str(m) for m in minutes])}"
        if len(minutes) == 1 and not second:
            return "every hour" if minutes == (0,) else f"every hour at {named}"
        return f"every hour at {named}" + (f", second {seconds[0]}" if second else "")
    if len(minutes) == 1 and not second:
        hour_step = _step(hours, 24)
        if hour_step:
            place = "" if minutes == (0,) else f" at minute {minutes[0]}"
            return f"every {hour_step} hours{place}"
        interval, step = "every hour", 1
    if not step or hours[-1] - hours[0] + 1 != len(hours):
        return None
    low, high = f"{hours[0]:02d}:{minutes[0]:02d}", f"{hours[-1]:02d}:{minutes[-1]:02d}"
    return f"{interval} from {low} to {high}{tail}"


def _on_weekdays(week: int, when: str) -> str:
    at = when.startswith("at ")
    if week == 127:
        return f"every day {when}" if at else when
    names = [_WEEKDAYS[day % 7] for day in range(1, 8) if week >> day % 7 & 1]
    if at:
        named = {_WORKING: "weekday", _WEEKEND: "Saturday and Sunday"}.get(week, _listed(names))
        return f"every {named} {when}"
    plural = _listed([f"{name}s" for name in names])
    return f"{when}, {'Monday to Friday' if week == _WORKING else f'on {plural}'}"


def _in_month(days: Days, months: tuple[int, ...]) -> str | None:
    """`on the 1st of every month`; None where words would not be sure to be right."""
    kinds = bool(days.days) + len(days.from_end) + len(days.nearest)
    if not days.both or kinds != 1:
        return None
    some_lack_it = False
    if days.nth:
        if days.days != (1 << 31) - 1 or days.week or len(days.nth) != 1:
            return None
        weekday, which = days.nth[0]
        day = f"{_NTH[which]} {_WEEKDAYS[weekday]}"
        some_lack_it = which == 5
    elif days.week != 127:
        return None
    elif days.from_end:
        if days.from_end != (0,):
            return None
        day = "last day"
    elif days.nearest:
        wanted = days.nearest[0]
        day = "last weekday" if wanted == 32 else f"weekday nearest to the {_ordinal(wanted)}"
        some_lack_it = wanted in (29, 30, 31)
    else:
        numbers = [day for day in range(1, 32) if days.days >> day - 1 & 1]
        shortest = min(_LENGTHS[month - 1] for month in months)
        some_lack_it = numbers[-1] > shortest
        if len(numbers) > _MOST_TIMES or some_lack_it and len(numbers) > 1:
            return None
        if len(numbers) == len(months) == 1:
            leap = ", in leap years," if some_lack_it else ""
            return f"every year on {numbers[0]} {_MONTHS[months[0] - 1]}{leap}"
        day = _listed([_ordinal(number) for number in numbers])
    if some_lack_it:
        return f"on the {day} of each month that has one" if len(months) == 12 else None
    if len(months) == 12:
        return f"on the {day} of every month"
    return f"on the {day} of {_listed(_month_names(months))}"


def _step(found: tuple[int, ...], size: int) -> int:
    """n, if these are all the multiples of n below `size`, and n divides it; else 0."""
    if len(found) < 2 or size % len(found):
        return 0
    step = size // len(found)
    return step if found == tuple(range(0, size, step)) else 0


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _month_names(months: tuple[int, ...]) -> list[str]:
    return [_MONTHS[month - 1] for month in months]


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
