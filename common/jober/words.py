"""Moments, durations and counts, as people say them. Pure: `now` is an argument."""

from datetime import tzinfo

from jober.clock import from_ms

_DAY_S = 86_400


def duration(seconds: float) -> str:
    """`4 ms`, `3.2 s`, `45 s`, `2 min 5 s`, `1 h 3 min`, `2 d 4 h`.

    >>> duration(0.0042), duration(3.21), duration(125), duration(90_061)
    ('4 ms', '3.2 s', '2 min 5 s', '1 d 1 h')
    """
    seconds = max(seconds, 0.0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small_size, small in (
        (_DAY_S, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small_size
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def relative(moment_ms: int, now_ms: int) -> str:
    """How far off a moment is, in its largest unit: `in 4 s`, `3 min ago`, `now`.

    >>> relative(4_000, 0), relative(0, 200_000), relative(0, 300)
    ('in 4 s', '3 min ago', 'now')
    """
    seconds = round(abs(moment_ms - now_ms) / 1000)
    if seconds == 0:
        return "now"
    amount, unit = seconds, "s"
    for size, name in ((_DAY_S, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            amount, unit = seconds // size, name
            break
    return f"in {amount} {unit}" if moment_ms > now_ms else f"{amount} {unit} ago"


def moment(moment_ms: int, now_ms: int, zone: tzinfo | None = None) -> str:
    """A moment in a zone (default: this machine's), as short as it is clear: `08:01:23` today,
    `Sat 08:01` within six days, `21 Nov 08:01` in this year, `2027-11-21 08:01` else."""
    then, now = (from_ms(one).astimezone(zone) for one in (moment_ms, now_ms))
    if then.date() == now.date():
        return f"{then:%H:%M:%S}"
    if abs((then.date() - now.date()).days) <= 6:
        return f"{then:%a %H:%M}"
    if then.year == now.year:
        return f"{then.day} {then:%b %H:%M}"
    return f"{then:%Y-%m-%d %H:%M}"


def moment_and_hint(moment_ms: int | None, now_ms: int) -> str:
    """`08:01:23 (3 min ago)`; nothing for None."""
    if moment_ms is None:
        return ""
    return f"{moment(moment_ms, now_ms)} ({relative(moment_ms, now_ms)})"


def count(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def plain(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c in "\t\n\r" else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )
