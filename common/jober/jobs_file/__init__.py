"""Jobs in a file: `[jobs.NAME]` tables, `[defaults]` for all of them, and the `[calendars.NAME]`
that they share, in TOML or YAML.

`toml_document` and `yaml_document` make a `Document` of the text, `jobs` the definitions of
the document, `calendars` and `ics` their calendars, `difference` what applying them would do to
those there are, and `links` what is wrong with what they say of one another. `modules` finds the
jobs that functions declare.
"""

from jober.jobs_file.difference import (
    ChangedCalendar,
    ChangedJob,
    ChangedLimit,
    Difference,
    difference,
)
from jober.jobs_file.jobs import JobsFile, joined, parse_jobs, read_jobs
from jober.jobs_file.links import wrong_links
from jober.jobs_file.modules import read_module

__all__ = [
    "ChangedCalendar",
    "ChangedJob",
    "ChangedLimit",
    "Difference",
    "JobsFile",
    "difference",
    "joined",
    "parse_jobs",
    "read_jobs",
    "read_module",
    "wrong_links",
]
