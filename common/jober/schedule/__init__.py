"""When a job is due: cron, intervals, moments and unions of them, in any time zone.

`parse` reads a definition (see there) into a `Schedule`, which answers `next_after`,
`between`, `last_between` and `count_between`; `mistakes` tells all that is wrong with one. Pure:
no clock and no I/O but for the zones' own data. `zone` tells how zones are read, `cron` and
`every` tell the rules, and `shifted` those of hours, excluded days and calendars.
"""

from jober.errors import NextFireTimeError, ScheduleError
from jober.schedule.calendar import Calendar
from jober.schedule.exclusion import calendar_names
from jober.schedule.mistakes import mistakes
from jober.schedule.parse import parse
from jober.schedule.schedule import ExcludedFire, Schedule

__all__ = [
    "Calendar",
    "ExcludedFire",
    "NextFireTimeError",
    "Schedule",
    "ScheduleError",
    "calendar_names",
    "mistakes",
    "parse",
]
