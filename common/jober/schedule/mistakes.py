"""All that is wrong with the definition of a schedule, where `parse` tells the first of it."""

from collections.abc import Mapping

from jober.errors import ScheduleError
from jober.schedule.calendar import Calendar
from jober.schedule.parse import KINDS, parse

# What takes the place of a wrong value: good by itself, and whatever goes with it goes with this.
_STAND_INS: Mapping[str, object] = {"exclude": ["2000-01-01"], "every": 3600}
_WHENEVER = {"cron": "* * * * *"}


def mistakes(
    spec: Mapping[str, object],
    timezone: str | None = None,
    *,
    name: str = "",
    calendars: Mapping[str, Calendar] | None = None,
) -> list[ScheduleError]:
    """Each field of a definition that is wrong, and each member of an `any_of`, told once; none
    if `parse`, which takes the same, would take it.

    What is wrong is put out of the way, and the rest is read again: so no mistake hides another.
    """
    found: list[ScheduleError] = []
    left = dict(spec)
    while True:
        try:
            parse(left, timezone, name=name, calendars=calendars)
        except ScheduleError as error:
            found.append(error)
            if error.field == "timezone" and "timezone" not in left:
                timezone = None
            elif not _put_right(left, error.field or ""):
                return found
        else:
            return found


def _put_right(left: dict[str, object], told: str) -> bool:
    """Take out of the definition what an error names; False if it is of no single field."""
    field, _, place = told.partition("[")
    if field not in left:
        return False
    members = left[field]
    if place and isinstance(members, list | tuple):
        wrong = int(place.partition("]")[0])
        left[field] = [_WHENEVER if at == wrong else member for at, member in enumerate(members)]
    elif field in _STAND_INS and left[field] != _STAND_INS[field]:
        left[field] = _STAND_INS[field]
    else:
        del left[field]
        if field in KINDS:
            left.update(_WHENEVER)
    return True
