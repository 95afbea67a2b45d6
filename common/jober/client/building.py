"""Runs by hand as they are made: on which hosts, with what in place of the definition's own, and
with all that has to run before and after them."""

import hashlib
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from jober import roles
from jober.client.definitions import Definitions
from jober.client.handle import RunHandle
from jober.client.hosts import Hosts
from jober.errors import DefinitionError, JoberError, LinkedJobNotFound
from jober.ids import check_run_id, manual_run_id, ulid
from jober.placement import Roster, choose_one, place, placed
from jober.store.changes import how_fields
from jober.store.jobs import JobRecord
from jober.store.runs import JobRuns, ManualRun, Once
from jober.traceparent import callers, with_caller
from jober.workflow import Graph, JobState, Waits, build_order, results_in

if TYPE_CHECKING:
    from jober.job import Job

# Of so many jobs it is asked at once how they stand.
STANDING_BATCH = 200
# A key by which a run is made once is not longer.
KEY_AT_MOST = 200
# How long the agent of a folder is waited for, and how often it is looked whether it is there.
JOIN_S = 30.0
LOOK_S = 0.05


class Place(NamedTuple):
    """Where a run by hand goes: to any host, to one that was `asked` for or chosen, or (`may_move`)
    to one first."""

    host: str | None = None
    may_move: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one call says beside what is to be run. `how` are fields of a definition; the rest as in
    `ByHand.run`."""

    args: Sequence[Any] | None = None
    kwargs: Mapping[str, Any] | None = None
    how: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    owner: str = ""
    with_needs: bool = False
    with_dependents: bool = False
    force: bool = False
    key: str | None = None

    def once(self, what: object, ids: Sequence[str]) -> Once | None:
        """That they are made once, where the call has a key: it stands for this very call."""
        if self.key is None:
            return None
        if not 1 <= len(self.key) <= KEY_AT_MOST:
            raise DefinitionError(
                f"it has {len(self.key)} characters",
                field="idempotency_key",
                value=self.key,
                mend=f"1 to {KEY_AT_MOST}: a new one for each call",
            )
        flags = [self.with_needs, self.with_dependents, self.force]
        told = [what, self.args, self.kwargs, self.how, self.id, flags]
        text = json.dumps(told, sort_keys=True, default=repr)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return Once(key=self.key, call=digest, runs=ids)

    def check_fields(self, known: Collection[str]) -> None:
        """Raises DefinitionError where the call says what is no matter of one run."""
        from jober.job import KNOWN_FIELDS
        from jober.job.problems import unknown_field

        for name in self.how:
            if name not in known and name in KNOWN_FIELDS:
                raise DefinitionError(
                    "it is said of a job, and not of one run",
                    field=name,
                    value=self.how[name],
                    mend="leave it out, or define a job with it (add_job) and run that",
                )
            if name not in known:
                raise unknown_field(name, known)

    def run_id(self, word: str, now_ms: int) -> str:
        """The id of the run: as asked for, else a new one."""
        return manual_run_id(word, now_ms) if self.id is None else check_run_id(self.id)

    @property
    def told_apart(self) -> str | None:
        """What tells this call from others with the same id; None where the id is new anyhow."""
        return None if self.id is None else ulid(0)


class Building(Definitions, Hosts):
    """Making runs by hand."""

    def _start(
        self, record: JobRecord, places: Sequence[Place], call: Call, asked: str | None
    ) -> list[RunHandle]:
        """Make the runs of the job, and those that go before and after them, all in one step;
        `asked` is the host that was asked for."""
        self.store.observe_time()
        if call.with_needs or call.with_dependents:
            batch = self._with_others(record, places, call)
        else:
            batch = [self._runs(record, places, call, {})]
        [own] = [one for one in batch if one.job == record.name]
        return self._made(batch, own, call, [record.name, asked])

    def _made(
        self, batch: Sequence[JobRuns], own: JobRuns, call: Call, what: object
    ) -> list[RunHandle]:
        """Make the runs, and hand out those that were asked for: `what` it is, with the call."""
        ids = [run.id for run in own.runs]
        before = self.store.runs.enqueue_all(batch, call.owner, call.once(what, ids))
        return [RunHandle(self, id) for id in (ids if before is None else before)]

    def _with_others(self, record: JobRecord, places: Sequence[Place], call: Call) -> list[JobRuns]:
        """The runs of all jobs that get one, each after those that it waits for."""
        records = {one.name: one for one in self.jobs()}
        graph = Graph({name: one.job.links for name, one in records.items()})
        states: dict[str, JobState] = {}
        names = graph.linked
        for start in range(0, len(names), STANDING_BATCH):
            states.update(self.store.workflows.states(names[start : start + STANDING_BATCH]))
        order = build_order(
            graph,
            record.name,
            states,
            self.store.clock.now_ms(),
            with_needs=call.with_needs,
            with_dependents=call.with_dependents,
        )
        batch: dict[str, JobRuns] = {}
        for name in order:
            ids = {
                other: [run.id for run in batch[other].runs]
                for other in graph.links(name).before
                if other in batch
            }
            if name == record.name:
                batch[name] = self._runs(record, places, call, ids)
            else:
                batch[name] = self._runs(records[name], self._places(records[name]), Call(), ids)
        return list(batch.values())

    def _places(self, record: JobRecord) -> list[Place]:
        """Where runs by hand go, chosen as the leader would for a fire."""
        job = record.job
        if job.on == "any" and job.prefer == "least":
            return [Place()]
        roster = self._roster(job.queue)
        hosts = roster.hosts_for(job.queue)
        use, before = roster.use_of, record.placed
        seed = f"{job.name} {self.store.clock.now_ms()}"
        if job.on == "any":
            host = choose_one(hosts, job.prefer, use=use, before=before, seed=seed)
            return [Place(host, may_move=host is not None)]
        if isinstance(job.on, int):
            hosts = place(hosts, job.on, job.prefer, use=use, before=before, seed=seed)
        return [Place(host) for host in hosts]

    def _roster(self, queue: str) -> Roster:
        """Who is live. In a folder, which may have been opened just now, its agent is waited
        for: it serves whatever queue."""
        deadline = self.store.clock.monotonic() + JOIN_S
        while True:
            roster = Roster.of(self.agents())
            if roster.hosts_for(queue) or not self.home.is_folder:
                return roster
            if self.store.clock.monotonic() >= deadline:
                return roster
            time.sleep(LOOK_S)

    def _runs(
        self,
        record: JobRecord,
        places: Sequence[Place],
        call: Call,
        needed: Mapping[str, Sequence[str]],
    ) -> JobRuns:
        """The runs of one job, a run for each place; they wait for the runs `needed`."""
        if not places:
            wanted = " or ".join(record.job.roles) or roles.DEFAULT_ROLE
            raise JoberError(
                f"job '{record.name}': no live host for role {wanted} (see `jober agents`, and "
                f"start one with `jober-worker --roles …`)"
            )
        job = record.job
        made: dict[str, Any] = {"call": call.told_apart}
        if self.store.signer and (call.how or call.args is not None or call.kwargs is not None):
            self.store.signer.check(record.name, record.fields)
        if call.how:
            from jober.job import OPTION_FIELDS

            call.check_fields(OPTION_FIELDS)
            job = job.replace(**call.how)
            made |= how_fields(job)
            made["expires_s"] = job.expires if "expires" in call.how else None
        if call.args is not None or call.kwargs is not None:
            args = list(call.args) if call.args is not None else None
            kwargs = dict(call.kwargs) if call.kwargs is not None else None
            made["data"] = record.job.payload(args, kwargs)
            made["description"] = record.job.describe(args, kwargs)
            made["arguments"] = record.job.arguments_json(args, kwargs)
            given = {"args": args, "kwargs": kwargs}
            job = job.replace(**{name: one for name, one in given.items() if one is not None})
        # Within a trace it has options of its own, which somebody has to sign.
        signer = self.store.signer
        if (caller := callers()) and not (signer and signer.orders_alone):
            made["options"] = with_caller(made.get("options") or how_fields(job)["options"], caller)
        made["waits"] = self._waits(record.job, job, call)
        now_ms = self.store.clock.now_ms()
        runs = [
            ManualRun(
                id=call.run_id(record.name, now_ms),
                host=place.host,
                may_move=place.may_move,
                asked=place.asked,
                needed=needed,
                **made,
            )
            for place in places
        ]
        remembered: tuple[str, ...] = ()
        if job.prefer == "spread":
            remembered = placed(record.placed, [run.host for run in runs if run.host])
        return JobRuns(job=record.name, runs=runs, placed=remembered, made_of=record.fields)

    def _waits(self, defined: "Job | None", job: "Job", call: Call) -> str | None:
        """What the run waits for in place of what its job does (JSON); None where it is the same.
        Raises LinkedJobNotFound."""
        waits = job.waits
        if call.force:
            results = tuple(results_in([job.args, job.kwargs]))
            waits = Waits(quorum=waits.quorum).with_needs(results)
        known = defined.waits if defined else Waits()
        new = [name for name in waits.jobs if name not in known.jobs]
        if new:
            there = self.store.jobs.those(new)
            for name in new:
                if name not in there:
                    raise LinkedJobNotFound(job.name, name, self.store.jobs.names(limit=1000))
        return None if waits == known else waits.to_json()
