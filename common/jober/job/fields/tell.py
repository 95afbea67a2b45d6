"""Who is told of what becomes of a job."""

from typing import Any

from jober.job.fields.field import FieldGroup, job_field


class TellFields(FieldGroup):
    """Messages, by webhook or by mail."""

    notify: list[dict[str, Any]] = job_field(
        "Whom to tell, and of what: tables with on, and webhook or mail.",
        expects="a list of tables",
        mend='notify = [{ on = ["failure", "recovery"], mail = ["ops@example.org"] }]',
        default=[],
        max_length=20,
    )
