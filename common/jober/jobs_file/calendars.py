"""The `[calendars.NAME]` tables of a file, and the .ics files that they name.

A table has `dates`, or `file`, or both: the days of the file become dates like the others, so
that the definition is whole, and nobody needs the file afterwards.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jober.errors import DefinitionError
from jober.job.problems import raise_any, told
from jober.jobs_file.ics import read_ics
from jober.schedule import Calendar

BYTES_AT_MOST = 16 << 20

# Gives the bytes of a file that a table names.
Reader = Callable[[str], bytes]


def read_calendar(name: object, table: object, read: Reader | None) -> Calendar:
    """The calendar of one table; `read` is None where no files are to be read.

    A DefinitionError has `calendars.NAME.KEY` as its field, with the value and the mend.
    """
    if not isinstance(name, str):
        raise DefinitionError(
            f"the name {told(name)} is not text",
            field="calendars",
            value=name,
            mend="put it in quotes",
        )
    if not isinstance(table, Mapping):
        return Calendar.from_spec(name, table)
    if not any(table.get(key) is not None for key in ("dates", "file")):
        raise DefinitionError(
            "it has no dates",
            field=f"calendars.{name}",
            mend='dates = ["2026-12-25", "12-25"], or file = "holidays.ics"',
        )
    rest = {key: value for key, value in table.items() if key != "file"}
    problems = []
    try:
        calendar = Calendar.from_spec(name, rest)
    except DefinitionError as error:
        problems.append(error)
    days: list[Any] = []
    if table.get("file") is not None:
        try:
            days = _read_file(name, table["file"], read)
        except DefinitionError as error:
            problems.append(error)
    raise_any(problems)
    if not days:
        return calendar
    try:
        return Calendar.from_spec(name, {**rest, "dates": [*(rest.get("dates") or ()), *days]})
    except DefinitionError as error:
        field = f"calendars.{name}.file"
        raise DefinitionError(
            error.problem, field=field, value=table["file"], mend=error.mend
        ) from None


def files_beside(path: str) -> Reader:
    """Reads files that are named relative to the one at `path`."""

    def read(name: str) -> bytes:
        with open(Path(path).parent / os.fspath(name), "rb") as file:
            return file.read(BYTES_AT_MOST + 1)

    return read


def _read_file(name: str, file: object, read: Reader | None) -> list[str]:
    def refused(problem: str, mend: str) -> DefinitionError:
        field = f"calendars.{name}.file"
        return DefinitionError(problem, field=field, value=file, mend=mend)

    if not isinstance(file, str) or not file:
        raise refused(f"{told(file)} is not the name of a file", 'file = "holidays.ics"')
    if read is None:
        raise refused("no other file is read here", "write its days as dates")
    try:
        data = read(file)
    except (OSError, ValueError) as error:
        problem = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise refused(
            f"{told(file)} cannot be read: {problem.lower()}",
            "name an .ics file, relative to this one",
        ) from None
    if len(data) > BYTES_AT_MOST:
        raise refused(f"{told(file)} is larger than 16 MiB", "keep only the days that matter")
    try:
        return read_ics(data)
    except ValueError as error:
        raise refused(f"{told(file)} cannot be used: {error}", "name an .ics file") from None
