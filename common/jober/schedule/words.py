"""Cron in words; only phrases that are surely right, else the text itself."""

from jober.schedule.cron_days import Days


def cron_words(
    text: str,
    seconds: tuple[int, ...],
    minutes: tuple[int, ...],
    hours: tuple[int, ...],
    days: Days,
    months: tuple[int, ...],
) -> str:
    return f"cron {text}"
