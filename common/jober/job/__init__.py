"""The definition of a job: what runs, when, where, and within which limits.

`fields` says what there is, `rules` (with those of the process and of the ends of a run) what
must fit together, `problems` tells all that is wrong at once; `definition` is the job itself,
`payload` the call that its runs carry, and `change` what differs between two.
"""

from jober.job.change import FieldChange, changes
from jober.job.definition import KNOWN_FIELDS, OPTION_FIELDS, SCHEDULE_FIELDS, Job, check_fields
from jober.job.json_value import json_value
from jober.job.memory import memory_bytes
from jober.job.payload import Kind, split_script
from jober.job.problems import InvalidDefinitions, each_of, raise_any

__all__ = [
    "KNOWN_FIELDS",
    "OPTION_FIELDS",
    "SCHEDULE_FIELDS",
    "FieldChange",
    "InvalidDefinitions",
    "Job",
    "Kind",
    "changes",
    "check_fields",
    "each_of",
    "json_value",
    "memory_bytes",
    "raise_any",
    "split_script",
]
