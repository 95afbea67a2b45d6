"""What a job has to do with other jobs."""

from jober.job.fields.field import FieldGroup, job_field


class WorkflowFields(FieldGroup):
    """What a run waits for, and what is run when one has ended."""

    needs: list[str] = job_field(
        "Jobs whose newest runs have to succeed before a run of this one begins; it is skipped "
        "where one does not. A job whose result stands among the arguments is needed too.",
        expects="a list of the names of jobs",
        mend='needs = ["extract", "clean"]',
        default=[],
    )
    wait_for: list[str] = job_field(
        "Jobs whose newest runs have to end, well or badly, before a run of this one begins.",
        expects="a list of the names of jobs",
        mend='wait_for = ["backup"]',
        default=[],
    )
    quorum: int | str | None = job_field(
        "Of a needed job that runs on several hosts, on how many its runs have to succeed: a "
        "number, or a share as 80%.",
        expects="a number of hosts, or a share as text",
        mend='quorum = 3, or quorum = "80%"',
        told_default="none, which is all of them",
    )
    fresh_for: int | float | str | None = job_field(
        "A run is skipped, as fresh, where the last success of the job is younger: seconds, or "
        "text with s, m, h, d or w.",
        expects="a number of seconds, or text",
        mend='fresh_for = "6h"',
    )
    on_success: list[str] = job_field(
        "Jobs that are run when a run of this one has succeeded.",
        expects="a list of the names of jobs",
        mend='on_success = ["publish"]',
        default=[],
    )
    on_failure: list[str] = job_field(
        "Jobs that are run when a run of this one has failed: failed, timeout, lost, poisoned or "
        "missed, and is not tried again.",
        expects="a list of the names of jobs",
        mend='on_failure = ["alarm"]',
        default=[],
    )
