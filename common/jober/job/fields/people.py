"""What a job says to people."""

from typing import Any

from jober.job.fields.field import FieldGroup, job_field


class PeopleFields(FieldGroup):
    """Nothing that a machine goes by."""

    title: str | None = job_field(
        "One line for lists and pages.", expects="text", mend='title = "…"'
    )
    tags: list[str] = job_field(
        "Words to find the job by.",
        expects="a list of texts",
        mend='tags = ["backup"]',
        default=[],
    )
    notes: str | None = job_field(
        "What whoever is called at night should know.", expects="text", mend='notes = "…"'
    )
    extra: dict[str, Any] = job_field(
        "Anything else that belongs to the job, JSON values: for programs of your own.",
        expects="a table",
        mend='extra = { ticket = "OPS-7" }',
        default={},
    )
