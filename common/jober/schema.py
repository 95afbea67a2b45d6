"""The schema of what jober stores: one number, in each record that has room for it, and for all of
a Redis in `jober:schema`.

It counts the changes after which an earlier version would read a record wrongly. What earlier
versions may read over (a field more) is none: they keep it when they write the record back. So
that two versions work side by side, a version reads what the next one writes: a new schema is read
in one minor version, and written from the next on. docs/operations.md has the rules.
"""

from typing import Any

from jober.errors import NewerSchema

# What this version writes, and the newest that it reads.
SCHEMA = 1
READ_UP_TO = 1


def check_schema(what: str, found: Any) -> None:
    """Raises NewerSchema where `what` has a schema that is not known here. None is the first."""
    try:
        schema = int(found or 1)
    except (TypeError, ValueError, OverflowError):
        return  # by hand, and no number: what stands in the record decides
    if schema > READ_UP_TO:
        raise NewerSchema(what, schema, READ_UP_TO)
