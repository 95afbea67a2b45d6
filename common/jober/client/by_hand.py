"""Runs of defined jobs by hand: where they go, and with what in place of the definition's own."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jober import roles
from jober.client.arguments import checked
from jober.client.definitions import Definitions
from jober.client.handle import RunHandle
from jober.client.hosts import Hosts
from jober.errors import DefinitionError, JoberError
from jober.ids import manual_run_id
from jober.placement import Roster, choose_one, place, placed
from jober.store.jobs import JobRecord
from jober.store.runs import ManualRun


class _Place(NamedTuple):
    """Where a run by hand goes: to any host, to one, or (`may_move`) to one first."""

    host: str | None = None
    may_move: bool = False


class ByHand(Definitions, Hosts):
    """Running what is defined, now."""

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
        self,
        record: JobRecord,
        places: Sequence[_Place],
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
