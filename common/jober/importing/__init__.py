"""Jobs from what people have already: crontabs and systemd timers.

Pure: text goes in, an `Imported` comes out, and `jobs_text` writes it as a jobs file. What
the other format says is kept exactly, or refused with its line and the reason; what has no
place in a job is told in a comment, and as a warning.

- `crontab` reads a crontab, a line at a time by `crontab_line`;
- `systemd` reads timers and their services: `unit` their files, `calendar` and `timespan`
  their times, `service` and `exec_line` what they run;
- `names` finds names for the jobs.
"""

from jober.importing.crontab import CrontabOptions, read_crontab
from jober.importing.imported import Imported, ImportedJob, Origin, Remark
from jober.importing.jobs_text import jobs_text
from jober.importing.systemd import SystemdOptions, read_systemd
from jober.importing.unit import Unit, units_of_cat

__all__ = [
    "CrontabOptions",
    "Imported",
    "ImportedJob",
    "Origin",
    "Remark",
    "SystemdOptions",
    "Unit",
    "jobs_text",
    "read_crontab",
    "read_systemd",
    "units_of_cat",
]
