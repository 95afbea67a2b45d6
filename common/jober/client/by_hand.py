"""Runs by hand, of defined jobs and of what is told with the call: where they go, and how."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from jober import roles
from jober.client.arguments import checked
from jober.client.definitions import Definitions
from jober.client.handle import RunHandle
from jober.client.hosts import Hosts
from jober.errors import DefinitionError, JoberError, JobNotFound
from jober.ids import check_run_id, manual_run_id, ulid
from jober.placement import Roster, choose_one, place, placed
from jober.roles import priority_queue
from jober.run import NO_JOB
from jober.store.jobs import JobRecord, how_fields
from jober.store.runs import ManualRun

if TYPE_CHECKING:
    # Loaded where something is run: with them come the checks of definitions.
    from jober.client.what import Given, What


class _Place(NamedTuple):
    """Where a run by hand goes: to any host, to one, or (`may_move`) to one first."""

    host: str | None = None
    may_move: bool = False


class ByHand(Definitions, Hosts):
    """Running what is defined, or told with the call, now."""

    @checked
    def run(
        self,
        what: "What",
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        shell: bool = False,
        process: bool | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        host: str | None = None,
        expires: float | None = None,
        id: str | None = None,
        detach: bool | None = None,
        **fields: Any,
    ) -> RunHandle:
        """Run something now, and return at once.

        `what` is the name of a job, which runs on a host of its roles; or what to run: a list of
        a program and its arguments, a text for a shell with `shell=True`, a function, or its name
        as `pkg.mod:func`, a Python file `./x.py`, or `./x.py:func`. That runs on a host with the
        role `default`, unless `roles=` says otherwise. Either runs on `host` where one is named.

        The rest says how, as the fields of a definition do (`fields` are those with no parameter
        here); of a job, it takes the place of the definition's own. `timeout` and `expires` are
        seconds: after the one it is stopped, after the other it is missed where it has not
        begun. `id` is the id of the run, which must not be there yet.

        Raises JobNotFound, RunExists, and DefinitionError for what cannot be run so, and for a
        job that runs on several hosts where none is named.

        >>> jober.run(["ls", "-l"], cwd="/srv").output.head(3)
        """
        from jober.client.what import Given, Named, read_what
        from jober.job import NotImportable

        how = {
            **{"process": process, "timeout": timeout, "retries": retries, "env": env},
            **{
                "cwd": os.fspath(cwd) if isinstance(cwd, os.PathLike) else cwd,
                "expires": expires,
                **fields,
            },
        }
        how = {name: value for name, value in how.items() if value is not None}
        call = _Call(args=args, kwargs=kwargs, how=how, id=id, owner=self.owner(detach))
        thing = read_what(what, shell)
        if isinstance(thing, Named):
            return self._run_named(thing.name, host, call)
        if isinstance(thing, Given):
            return self._run_given(thing, host, call)
        raise NotImportable(thing.function)

    def _run_named(self, name: str, host: str | None, call: "_Call") -> RunHandle:
        try:
            record = self._by_hand(name)
        except JobNotFound as error:
            raise JobNotFound(name, error.known, is_run=True) from None
        if host is not None:
            return self._enqueue(record, [_Place(host)], call)[0]
        if record.job.on != "any":
            raise DefinitionError(
                f"it runs on several hosts (on = {json.dumps(record.job.on)})",
                job=name,
                field="host",
                mend="name one with host=, or call run_everywhere",
            )
        return self._enqueue(record, self._places(record), call)[0]

    def _run_given(self, given: "Given", host: str | None, call: "_Call") -> RunHandle:
        from jober.job import OPTION_FIELDS, Job

        arguments = {"args": call.args, "kwargs": call.kwargs}
        call.check_fields((*OPTION_FIELDS, "roles", "priority"))
        job = Job(name=given.word, **{**given.fields, **arguments, **call.how})
        how = how_fields(job)
        self.store.observe_time()
        run = ManualRun(
            id=call.run_id(given.word, self.store.clock.now_ms()),
            host=host,
            queue=priority_queue(job.queue, job.priority),
            data=job.payload(),
            description=job.description,
            expires_s=job.expires,
            spec=job.to_json(),
            call=call.told_apart,
            options=how["options"],
            timeout=how["timeout"],
        )
        self.store.runs.enqueue(NO_JOB, [run], owner=call.owner)
        return RunHandle(self, run.id)

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
        how = {} if expires is None else {"expires": expires}
        call = _Call(args=args, kwargs=kwargs, how=how, id=None, owner=self.owner(None))
        return self._enqueue(record, self._places(record), call)

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

    def _places(self, record: JobRecord) -> list[_Place]:
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
        self, record: JobRecord, places: Sequence[_Place], call: "_Call"
    ) -> list[RunHandle]:
        made: dict[str, Any] = {"call": call.told_apart}
        if call.how:
            from jober.job import OPTION_FIELDS

            call.check_fields(OPTION_FIELDS)
            job = record.job.replace(**call.how)
            made |= how_fields(job)
            made["expires_s"] = job.expires if "expires" in call.how else None
        if call.args is not None or call.kwargs is not None:
            args = list(call.args) if call.args is not None else None
            kwargs = dict(call.kwargs) if call.kwargs is not None else None
            made["data"] = record.job.payload(args, kwargs)
            made["description"] = record.job.describe(args, kwargs)
            made["arguments"] = record.job.arguments_json(args, kwargs)
        self.store.observe_time()
        now_ms = self.store.clock.now_ms()
        runs = [
            ManualRun(
                id=call.run_id(record.name, now_ms),
                host=place.host,
                may_move=place.may_move,
                **made,
            )
            for place in places
        ]
        remembered: tuple[str, ...] = ()
        if record.job.prefer == "spread":
            remembered = placed(record.placed, [run.host for run in runs if run.host])
        self.store.runs.enqueue(record.name, runs, remembered, owner=call.owner)
        return [RunHandle(self, run.id) for run in runs]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """What one call says beside what is to be run. `how` are fields of a definition."""

    args: Sequence[Any] | None
    kwargs: Mapping[str, Any] | None
    how: Mapping[str, Any]
    id: str | None
    owner: str

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
