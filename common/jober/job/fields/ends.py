"""How the runs of a job may end, and when they are tried again."""

from jober.job.fields.field import SECONDS_AT_MOST, FieldGroup, job_field


class EndFields(FieldGroup):
    """Which ends are good, which are tried again, and when a run is too late to begin."""

    retries: int = job_field(
        "How often a run is tried again where it ends as retry_on says; each time on another host "
        "if there is one.",
        expects="a number from 0 to 100",
        mend="retries = 3",
        default=0,
        ge=0,
        le=100,
    )
    retry_delay: int | float = job_field(
        "Seconds from the end of the first attempt to the second.",
        expects="a number of seconds from 0 to a year",
        mend="retry_delay = 10",
        default=10,
        ge=0,
        le=SECONDS_AT_MOST,
    )
    retry_backoff: int | float = job_field(
        "What the delay is multiplied by after each further attempt; 1 keeps it as it is.",
        expects="a factor from 1 to 100",
        mend="retry_backoff = 2",
        default=2,
        ge=1,
        le=100,
    )
    retry_max_delay: int | float = job_field(
        "Seconds that the delay does not grow beyond.",
        expects="a number of seconds from 0 to a year",
        mend="retry_max_delay = 3600",
        default=3600,
        ge=0,
        le=SECONDS_AT_MOST,
    )
    retry_on: list[str] = job_field(
        "The ends that are tried again: failed (whatever the reason), timeout, lost (its host "
        "died), exit:N (that exit status), error:NAME (an exception of that class, or of one "
        "derived from it).",
        expects="a list of 'failed', 'timeout', 'lost', 'exit:N' and 'error:NAME'",
        mend='retry_on = ["failed", "timeout", "lost"]',
        default=["failed", "timeout"],
    )
    ok_exit_codes: list[int] = job_field(
        "The exit statuses of a program that are a success.",
        expects="a list of numbers",
        mend="ok_exit_codes = [0, 1]",
        default=[0],
    )
    skip_exit_codes: list[int] = job_field(
        "The exit statuses by which a program says that there was nothing to do: the run is "
        "skipped.",
        expects="a list of numbers",
        mend="skip_exit_codes = [75]",
        default=[],
    )
    expires: int | float | None = job_field(
        "A run that has not been started so many seconds after its fire (by hand: after it was "
        "made) is missed.",
        expects="a number of seconds above 0, at most a year",
        mend="expires = 600",
        gt=0,
        le=SECONDS_AT_MOST,
    )
