"""What keeps a job alive."""

from jober.job.fields.field import SECONDS_AT_MOST, FieldGroup, job_field


class ServiceFields(FieldGroup):
    """A job that runs always, and how soon it runs again."""

    service: bool = job_field(
        "Keep one run going always, started anew whenever it ends; it has no schedule then.",
        expects="true or false",
        mend="service = true",
        default=False,
    )
    restart_delay: int | float = job_field(
        "Of a service: seconds from the end of a run to the next; twice as long after each further "
        "end, until a run was healthy.",
        expects="a number of seconds from 0.1 to a day",
        mend="restart_delay = 1",
        default=1,
        ge=0.1,
        le=86_400,
    )
    restart_max_delay: int | float = job_field(
        "Of a service: seconds that the delay does not grow beyond.",
        expects="a number of seconds from 0.1 to a day",
        mend="restart_max_delay = 60",
        default=60,
        ge=0.1,
        le=86_400,
    )
    healthy_after: int | float = job_field(
        "Of a service: seconds after which a run that goes on is healthy, and the delay begins "
        "anew.",
        expects="a number of seconds above 0, at most a year",
        mend="healthy_after = 30",
        default=30,
        gt=0,
        le=SECONDS_AT_MOST,
    )
