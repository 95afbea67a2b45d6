"""Jobs in a file: `[jobs.NAME]` tables, and `[defaults]` for all of them, in TOML or YAML.

`toml_document` and `yaml_document` make a `Document` of the text, `jobs` the definitions of
the document, and `difference` what applying them would do to those there are.
"""

from jober.jobs_file.difference import ChangedJob, Difference, difference
from jober.jobs_file.jobs import JobsFile, parse_jobs, read_jobs

__all__ = [
    "ChangedJob",
    "Difference",
    "JobsFile",
    "difference",
    "parse_jobs",
    "read_jobs",
]
