"""The definition of a job: what runs, when, where, and within which limits.

`fields` says what there is, `rules` (with those of the process and of the ends of a run) what
must fit together, `problems` tells all that is wrong at once; `definition` is the job itself,
`payload` the call that its runs carry, `change` what differs between two, and `what` reads what is
to run from the thing itself.

The name is the decorator's too: `from jober import job` finds that, or this room where it has been
loaded before, so the room can be called as the decorator is.
"""

import sys
from types import ModuleType
from typing import Any

from jober.decorator import job
from jober.job.change import FieldChange, changes
from jober.job.definition import KNOWN_FIELDS, OPTION_FIELDS, SCHEDULE_FIELDS, Job, check_fields
from jober.job.json_value import json_value
from jober.job.memory import memory_bytes
from jober.job.payload import PROGRAMS, Kind, split_script
from jober.job.problems import InvalidDefinitions, each_of, raise_any, unknown_field
from jober.job.what import NotImportable, import_path, name_of, what_fields

__all__ = [
    "KNOWN_FIELDS",
    "OPTION_FIELDS",
    "PROGRAMS",
    "SCHEDULE_FIELDS",
    "FieldChange",
    "InvalidDefinitions",
    "Job",
    "Kind",
    "NotImportable",
    "changes",
    "check_fields",
    "each_of",
    "import_path",
    "json_value",
    "memory_bytes",
    "name_of",
    "raise_any",
    "split_script",
    "unknown_field",
    "what_fields",
]


class _Room(ModuleType):
    """The room, which is also the decorator `job`."""

    def __call__(self, *args: Any, **fields: Any) -> Any:
        return job(*args, **fields)


sys.modules[__name__].__class__ = _Room
