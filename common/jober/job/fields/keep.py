"""What is kept of a job and of its runs, and for how long."""

from jober.job.fields.field import SECONDS_AT_MOST, FieldGroup, job_field
from jober.run import KEEP_FOR_S, KEEP_RUNS


class KeepFields(FieldGroup):
    """The history of a job, and its own end."""

    keep_runs: int = job_field(
        "How many of its ended runs are kept, the newest.",
        expects="a number of runs from 1 to 100000",
        mend="keep_runs = 100",
        default=KEEP_RUNS,
        ge=1,
        le=100_000,
    )
    keep_for: int | float = job_field(
        "Seconds that an ended run is kept, with its result and its output.",
        expects="a number of seconds from 1 to a year",
        mend="keep_for = 86400",
        default=KEEP_FOR_S,
        ge=1,
        le=SECONDS_AT_MOST,
    )
    cleanup: str | None = job_field(
        "A function, as module:function, that is called once a run that had begun is deleted, with "
        "what is known of it.",
        expects="text",
        mend='cleanup = "pkg.mod:func"',
    )
    volatile: bool = job_field(
        "Remove the job once it is over: it will not fire again, and no run of it waits or goes "
        "on.",
        expects="true or false",
        mend="volatile = true",
        default=False,
    )
    protected: bool = job_field(
        "Refuse to remove or change the job, unless forced.",
        expects="true or false",
        mend="protected = true",
        default=False,
    )
