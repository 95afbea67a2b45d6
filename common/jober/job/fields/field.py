"""A field of a job: its value's limits, its doc, and the words of its errors."""

import json
from copy import deepcopy
from functools import partial
from typing import Any

from pydantic import Field

SECONDS_AT_MOST = 365 * 86_400


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
