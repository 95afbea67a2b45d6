"""What is done when a run is deleted: another run calls the `cleanup` of its job. Pure."""

from jober.job.definition import Job

# How the run that cleans up may end, and how long it is waited for a host.
TIMEOUT_S = 600
RETRIES = 5
RETRY_DELAY_S = 10
RETRY_BACKOFF = 4
EXPIRES_S = 86_400
# As whom, and in what, it runs: as the job itself.
_AS_THE_JOB = ("cwd", "env", "env_file", "secret", "user", "group", "umask", "nice", "memory")


def cleaner(job: Job) -> Job | None:
    """What is run for each run that is deleted, after all else that waits; None where the job
    names nothing. It has a process of its own, so that it can be stopped."""
    if job.cleanup is None:
        return None
    spec = job.spec()
    return Job(
        name=job.name,
        call=job.cleanup,
        process=True,
        timeout=TIMEOUT_S,
        retries=RETRIES,
        retry_delay=RETRY_DELAY_S,
        retry_backoff=RETRY_BACKOFF,
        retry_on=["failed", "timeout", "lost"],
        expires=EXPIRES_S,
        priority=0,
        # A function that only a program has runs in that program, which may be gone by then.
        roles=[role for role in job.roles if not role.startswith(".")],
        **{field: spec[field] for field in _AS_THE_JOB if field in spec},
    )
