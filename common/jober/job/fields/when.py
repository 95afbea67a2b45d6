"""When a job runs."""

from typing import Any, Literal

from jober.job.fields.field import FieldGroup, job_field


class WhenFields(FieldGroup):
    """One of cron, every, date, any_of; none of them is by hand only."""

    cron: str | None = job_field(
        "A cron expression: five fields, or six with seconds first; @daily and its kin.",
        expects="text",
        mend='cron = "0 3 * * *"',
    )
    every: int | float | list[Any] | None = job_field(
        "An interval: seconds, or [n, unit].",
        expects="a number of seconds or [n, unit]",
        mend='every = 30, or every = [1, "hour"]',
    )
    at: dict[str, Any] | None = job_field(
        "Beside every = [n, unit]: the fields of the wall clock to fire at.",
        expects="a table",
        mend="at = { hour = 3, minute = 0 }",
    )
    date: str | None = job_field(
        "A moment, once: ISO text, or a date of TOML or YAML; without an offset, in timezone.",
        expects="a date or ISO text",
        mend="date = 2026-11-21T03:00:00",
    )
    any_of: list[Any] | None = job_field(
        "Several schedules in one: a list of tables, each with its own cron, every or date. "
        "Moments that coincide are one fire.",
        expects="a list of tables",
        mend='any_of = [{ cron = "0 3 * * *" }, { every = [1, "hour"] }]',
    )
    timezone: str = job_field(
        "The time zone that the schedule is read in, by its IANA name.",
        expects="text",
        mend='timezone = "Europe/Warsaw"',
        default="UTC",
    )

    dst_gap: Literal["after", "skip"] | None = job_field(
        "A time that the clock skips: fire at the first instant after it, or not at all.",
        expects="'after' or 'skip'",
        mend="use 'after' or 'skip'",
        told_default="skip for a cron whose minute or hour begins with *, else after",
    )
    dst_repeat: Literal["first", "last", "both"] | None = job_field(
        "A time that the clock shows twice: fire at the first, the last, or both.",
        expects="'first', 'last' or 'both'",
        mend="use 'first', 'last' or 'both'",
        told_default="both for a cron whose minute or hour begins with *, else first",
    )
    start: str | None = job_field(
        "No fire before this moment; an interval is counted from it.",
        expects="a date or ISO text",
        mend="start = 2026-11-21T03:00:00",
    )
    end: str | None = job_field(
        "No fire after this moment; a date without a time is that whole day.",
        expects="a date or ISO text",
        mend="end = 2026-12-31",
    )
    jitter: int | float = job_field(
        "Fire up to so many seconds later, by chance that each computation agrees on.",
        expects="a number of seconds from 0 to 86400",
        mend="jitter = 30",
        default=0,
        ge=0,
        le=86_400,
    )
    only_between: str | list[str] | None = job_field(
        "The hours of the wall clock to fire in, the end not included, or a list of such; "
        '"22:00-06:00" is over midnight.',
        expects="text or a list of texts",
        mend='only_between = "08:00-18:00"',
    )
    exclude: list[str] = job_field(
        'Days not to fire on: names of calendars, days of the week as "sat", dates as '
        '"2026-12-25", "2026-12-24..2027-01-01", or "12-25" for each year.',
        expects="a list of texts",
        mend='exclude = ["holidays", "sat", "sun"]',
        default=[],
    )
    shift: Literal["skip", "next", "previous"] = job_field(
        "What becomes of a fire on an excluded day: it is not made, or moved to the next or the "
        "previous day that is not excluded, at the same time of day.",
        expects="'skip', 'next' or 'previous'",
        mend="use 'skip', 'next' or 'previous'",
        default="skip",
    )
    max_fires: int | None = job_field(
        "Fire so many times at most, and then by hand only. Fires that are skipped or missed do "
        "not count.",
        expects="a number of fires, 1 or more",
        mend="max_fires = 1",
        ge=1,
        le=1_000_000_000,
    )
