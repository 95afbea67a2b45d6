"""`Jober`: the public Python API."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from jober import roles
from jober.agent_info import AgentInfo, LeaderInfo
from jober.client.arguments import checked
from jober.client.handle import RunHandle
from jober.client.why import Why, covering_runs, why
from jober.daemon import DEFAULT_URL
from jober.errors import DefinitionError, JoberError, JobNotFound, LimitNotFound
from jober.event import Event
from jober.ids import check_host_name, manual_run_id
from jober.ledger import LedgerEntry
from jober.limit import Limit, check_limit
from jober.placement import Roster, choose_one, place, placed
from jober.roles import check_agent_roles
from jober.run import Run
from jober.service import Service
from jober.store import Store
from jober.store.jobs import Change, JobRecord
from jober.store.runs import ManualRun

if TYPE_CHECKING:
    # Loaded where a definition or a file of them is read: the checks and parsers take their time.
    from jober.job import Job
    from jober.jobs_file import Difference

# A script must not hold Redis up for long.
APPLY_BATCH = 500
CANCEL_BATCH = 100
# The ledger of a job keeps about so many decisions.
LEDGER_KEPT = 1_100


class _Place(NamedTuple):
    """Where a run by hand goes: to any host, to one, or (`may_move`) to one first."""

    host: str | None = None
    may_move: bool = False


class Jober:
    """jober at one Redis: `with Jober("redis://redis.example.org/0") as jober: …`.

    Without an address it is that of JOBER_REDIS_URL, else Redis on this host. Safe to share
    between threads. Every call may raise RedisUnavailable; all errors are JoberErrors.
    """

    def __init__(self, url: str | None = None) -> None:
        self.store = Store(os.environ.get("JOBER_REDIS_URL", DEFAULT_URL) if url is None else url)
        self.events = self.store.events

    def __enter__(self) -> "Jober":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self.store.close()

    # Definitions

    @checked
    def difference(self, file: str | os.PathLike[str], *, prune: bool = False) -> "Difference":
        """What `apply` would do; changes nothing. Raises DefinitionError."""
        from jober.jobs_file import difference, read_jobs

        calendars = self.store.calendars.all()
        file_ = read_jobs(file, calendars)
        current = {record.name: record.job for record in self.store.jobs.all()}
        limits = self.store.limits.slots()
        return difference(
            current, file_.jobs, prune, calendars, file_.calendars, limits, file_.limits
        )

    @checked
    def apply(self, file: str | os.PathLike[str], *, prune: bool = False) -> "Difference":
        """Make the jobs those of the file; with `prune`, remove all others.

        Raises DefinitionError, with all that is wrong in the file, and writes nothing then.
        """
        told = self.difference(file, prune=prune)
        self.carry_out(told)
        return told

    def carry_out(self, told: "Difference") -> None:
        """Apply a difference that was told before: in one step, or of more than 500 changes in
        steps of 500."""
        calendars = (*told.added_calendars, *(one.new for one in told.changed_calendars))
        changes = [
            *(Change(op="calendar", name=one.name, calendar=one) for one in calendars),
            *(Change(op="limit", name=one.name, slots=one.new) for one in told.changed_limits),
            *(Change(op="put", name=job.name, job=job) for job in told.added),
            *(Change(op="put", name=one.new.name, job=one.new) for one in told.changed),
            *(Change(op="remove", name=name) for name in told.removed),
            *(Change(op="calendar", name=name) for name in told.removed_calendars),
            *(Change(op="limit", name=name) for name in told.removed_limits),
        ]
        for start in range(0, len(changes), APPLY_BATCH):
            self.store.jobs.apply(changes[start : start + APPLY_BATCH])

    @checked
    def add_job(self, name: str, **fields: Any) -> JobRecord:
        """Define a new job, with the fields of a jobs file. Raises JobExistError, DefinitionError.

        >>> jober.add_job("nightly", command="backup", cron="0 3 * * *", roles=["db"])
        """
        from jober.job import Job

        calendars = self.store.calendars.all() if "exclude" in str(fields) else None
        job = Job.from_spec(name, fields, calendars)
        self.store.jobs.apply([Change(op="add", name=name, job=job)])
        return self.job(name)

    @checked
    def update_job(self, name: str, **fields: Any) -> JobRecord:
        """Change some fields of a job; None gives one its default back. Raises JobNotFound."""
        job = self.job(name).job
        if "exclude" in str(fields):
            job = type(job).from_spec(name, {**job.spec(), **fields}, self.store.calendars.all())
        else:
            job = job.replace(**fields)
        self.store.jobs.apply([Change(op="put", name=name, job=job)])
        return self.job(name)

    @checked
    def remove_job(self, name: str) -> None:
        """Remove a definition. What runs goes on, what waits is cancelled, and the history is
        kept a while. Raises JobNotFound."""
        if self.store.jobs.apply([Change(op="remove", name=name)]) == ["absent"]:
            raise JobNotFound(name, self.store.jobs.names(limit=1000))

    def jobs(self) -> Iterator[JobRecord]:
        """All jobs by name, read a page at a time."""
        return self.store.jobs.all()

    @checked
    def job(self, name: str) -> JobRecord:
        """One job. Raises JobNotFound."""
        return self.store.jobs.get(name)

    def limits(self) -> list[Limit]:
        """The limits that jobs share, and how much of each is used."""
        return self.store.limits.all()

    def set_limit(self, name: str, slots: int) -> None:
        """Let so many runs of the jobs that name the limit go on at once."""
        name, slots = check_limit(name, slots)
        self.store.jobs.apply([Change(op="limit", name=name, slots=slots)])

    @checked
    def remove_limit(self, name: str) -> None:
        """Remove a limit. Raises LimitNotFound, and LimitInUse where a job names it."""
        known = self.store.limits.slots()
        if name not in known:
            raise LimitNotFound(name, known=known)
        self.store.jobs.apply([Change(op="limit", name=name)])

    @checked
    def pause(self, name: str) -> bool:
        """The job fires no more until resumed, and a service is stopped; False where it was so.
        Raises JobNotFound."""
        return self.store.jobs.pause(name, True)

    @checked
    def resume(self, name: str) -> bool:
        """The job fires again, and catches up as it says; False where it was not paused."""
        return self.store.jobs.pause(name, False)

    @checked
    def service(self, name: str) -> Service | None:
        """How a service stands; None for a job that is none."""
        return next(iter(self.store.services.of([name])), None)

    @checked
    def ledger(self, name: str, limit: int = 100) -> list[LedgerEntry]:
        """What was decided of the job's newest fires, newest first."""
        return self.store.events.ledger(name, limit)

    @checked
    def why(self, name: str, at_ms: int | None = None) -> Why:
        """Why the fire of a job at a moment (default: its newest decided one) ran, was skipped
        or missed, or is none. Raises JobNotFound."""
        record = self.job(name)
        entries = self.ledger(name, LEDGER_KEPT)
        hosts = self.hosts_for(record.job)
        now_ms = self.store.clock.now_ms()
        if at_ms is None:
            at_ms = entries[0].fire_at_ms if entries else now_ms
        runs = self.store.runs.found(covering_runs(entries, at_ms))
        return why(record, entries, at_ms, now_ms, hosts, runs)

    # Runs

    @checked
    def run(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        host: str | None = None,
        expires: float | None = None,
    ) -> RunHandle:
        """Run a job now, on a host of its roles or on the host named, and return at once.

        `args`, `kwargs` and `expires` (seconds after which it is missed where it was not started)
        take the place of the definition's own. Raises JobNotFound, and DefinitionError for a job
        that runs on several hosts where none is named.
        """
        record = self._by_hand(name)
        if host is not None:
            return self._enqueue(record, [_Place(host)], args, kwargs, expires)[0]
        if record.job.on != "any":
            raise DefinitionError(
                f"it runs on several hosts (on = {json.dumps(record.job.on)})",
                job=name,
                field="host",
                mend="name one with host=, or call run_everywhere",
            )
        return self._enqueue(record, self._places(record), args, kwargs, expires)[0]

    @checked
    def run_everywhere(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        expires: float | None = None,
    ) -> list[RunHandle]:
        """Run a job now on each live host of its roles, one run each; where its `on` is a
        number, on so many of them.

        Raises JobNotFound, and JoberError where no such host is live.
        """
        record = self._by_hand(name)
        hosts = self.hosts_for(record.job)
        if not hosts:
            wanted = " or ".join(record.job.roles) or roles.DEFAULT_ROLE
            raise JoberError(
                f"job '{name}': no live host for role {wanted} (see `jober agents`, and start one "
                f"with `jober-worker --roles …`)"
            )
        return self._enqueue(record, self._places(record), args, kwargs, expires)

    def _by_hand(self, name: str) -> JobRecord:
        """A job that may be run by hand."""
        record = self.job(name)
        if record.job.service:
            raise DefinitionError(
                "it is a service, of which one run goes on always",
                job=name,
                mend="cancel its run to have it started anew; pause and resume stop and start it",
            )
        return record

    def hosts_for(self, job: "Job") -> list[str]:
        """The live hosts that the job may run on."""
        return list(Roster.of(self.agents()).hosts_for(job.queue))

    def _places(self, record: JobRecord) -> list["_Place"]:
        """Where runs by hand go, chosen as the leader would for a fire."""
        job = record.job
        if job.on == "any" and job.prefer == "least":
            return [_Place()]
        roster = Roster.of(self.agents())
        hosts = roster.hosts_for(job.queue)
        use, before = roster.use_of, record.placed
        seed = f"{job.name} {self.store.clock.now_ms()}"
        if job.on == "any":
            host = choose_one(hosts, job.prefer, use=use, before=before, seed=seed)
            return [_Place(host, may_move=host is not None)]
        if isinstance(job.on, int):
            hosts = place(hosts, job.on, job.prefer, use=use, before=before, seed=seed)
        return [_Place(host) for host in hosts]

    def _enqueue(
        self,
        record: JobRecord,
        places: Sequence["_Place"],
        args: Sequence[Any] | None,
        kwargs: Mapping[str, Any] | None,
        expires: float | None,
    ) -> list[RunHandle]:
        job = record.job if expires is None else record.job.replace(expires=expires)
        data = description = None
        if args is not None or kwargs is not None:
            given = list(args) if args is not None else None
            named = dict(kwargs) if kwargs is not None else None
            data = record.job.payload(given, named)
            description = record.job.describe(given, named)
        self.store.observe_time()
        now_ms = self.store.clock.now_ms()
        runs = [
            ManualRun(
                id=manual_run_id(record.name, now_ms),
                host=place.host,
                may_move=place.may_move,
                data=data,
                description=description,
                expires_s=None if expires is None else job.expires,
            )
            for place in places
        ]
        remembered: tuple[str, ...] = ()
        if record.job.prefer == "spread":
            remembered = placed(record.placed, [run.host for run in runs if run.host])
        self.store.runs.enqueue(record.name, runs, remembered)
        return [RunHandle(self.store, run.id) for run in runs]

    @checked
    def handle(self, id: str) -> RunHandle:
        """The handle of a run that is there. Raises RunNotFound."""
        self.store.runs.get(id)
        return RunHandle(self.store, id)

    @checked
    def cancel_job(self, name: str, reason: str = "cancelled") -> dict[str, str]:
        """Cancel all runs of a job that wait or run now; of each what `RunHandle.cancel` tells."""
        return self._cancelled(self.store.live_runs.of_job(name), reason)

    @checked
    def cancel_on(self, host: str, reason: str = "cancelled") -> dict[str, str]:
        """Cancel all that runs on a host now, and that waits for it alone; as `cancel_job`."""
        return self._cancelled(self.store.live_runs.on_host(host), reason)

    @checked
    def cancel_all(self, ids: Sequence[str], reason: str = "cancelled") -> Iterator[dict[str, str]]:
        """Cancel runs, some at a time; of each batch what `RunHandle.cancel` tells."""
        for start in range(0, len(ids), CANCEL_BATCH):
            batch = ids[start : start + CANCEL_BATCH]
            yield dict(zip(batch, self.store.runs.cancel_all(batch, reason), strict=True))

    def _cancelled(self, ids: Sequence[str], reason: str) -> dict[str, str]:
        return {id: done for batch in self.cancel_all(ids, reason) for id, done in batch.items()}

    def definition_of(self, run: Run) -> "Job | None":
        """The definition that a run was made from; None where there is none, or no more."""
        if run.job is None or run.revision is None:
            return None
        return self.store.jobs.definition(run.job, run.revision)

    @checked
    def runs(
        self, name: str | None = None, *, after: str | None = None, limit: int = 100
    ) -> list[Run]:
        """A page of runs, newest first, of one job or of all; those after the run with the id
        `after`, the last one of the page before."""
        return self.store.runs.page(name, after, limit)

    # The fleet

    def agents(self) -> list[AgentInfo]:
        """The live agents."""
        self.store.observe_time()
        return self.store.agents.live()

    @checked
    def cordon(self, host: str) -> bool:
        """The host takes no new runs until it is uncordoned, whether or not its agent is live or
        starts again; False where it was so. What runs goes on."""
        return self.store.agents.order(check_host_name(host), "cordon")

    @checked
    def uncordon(self, host: str) -> bool:
        """The host takes runs again; False where it was not cordoned."""
        return self.store.agents.order(check_host_name(host), "uncordon")

    @checked
    def set_roles(self, host: str, roles: Iterable[str] | None) -> bool:
        """The host has these roles from now on, whatever its agents were started with; None gives
        them their own back. False where it was so. Raises DefinitionError."""
        wanted = None if roles is None else check_agent_roles(roles)
        return self.store.agents.order(check_host_name(host), "roles", wanted)

    def leader(self) -> LeaderInfo | None:
        """Who schedules now; None where nobody does."""
        return self.store.leader.current()

    @checked
    def recent_events(self, limit: int = 100) -> list[Event]:
        """The newest events, newest first."""
        return self.store.events.newest(limit)
