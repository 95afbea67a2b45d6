"""A field of a job: its value's limits, its doc, and the words of its errors."""

import json
from copy import deepcopy
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SECONDS_AT_MOST = 365 * 86_400


class FieldGroup(BaseModel):
    """Some fields of a job. What checks them is built for the whole job alone, and when the first
    is read: a group by itself checks nothing, and a command that reads no job need not wait."""

    model_config = ConfigDict(defer_build=True)


def job_field(
    doc: str, *, expects: str, mend: str, default: Any = None, told_default: str = "", **limits: Any
) -> Any:
    """A field whose doc ends with its default, and that says what it expects, and the mend."""
    shown = told_default or ("none" if default is None else json.dumps(default))
    if isinstance(default, list | dict):
        limits["default_factory"] = partial(deepcopy, default)
    else:
        limits["default"] = default
    return Field(
        description=f"{doc} Default: {shown}.",
        json_schema_extra={"expects": expects, "mend": mend},
        **limits,
    )
