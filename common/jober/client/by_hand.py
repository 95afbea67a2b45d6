"""Runs by hand, of defined jobs and of what is told with the call: where they go, and how."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jober.client.arguments import checked
from jober.client.building import Building, Call, Place
from jober.client.handle import RunHandle
from jober.client.home import DETACHED
from jober.errors import DefinitionError, JobNotFound
from jober.roles import priority_queue
from jober.run import NO_JOB
from jober.store.changes import how_fields
from jober.store.jobs import JobRecord
from jober.store.runs import JobRuns, ManualRun
from jober.traceparent import callers, with_caller

if TYPE_CHECKING:
    # Loaded where something is run: with them come the checks of definitions.
    from jober.client.what import Given, Local, What


class ByHand(Building):
    """Running what is defined, or told with the call, now."""

    @checked
    def run(
        self,
        /,
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
        with_needs: bool = False,
        with_dependents: bool = False,
        force: bool = False,
        idempotency_key: str | None = None,
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

        A job is run once what it needs has succeeded: `with_needs` runs first what of that is
        missing or outdated, `with_dependents` then all that needs the job, and by `force` it waits
        for nothing but results, and runs though it is fresh.

        With an `idempotency_key` it is run once: the same call with the same key gives the same
        run for a day, and another call with it raises KeyUsed.

        Raises JobNotFound, RunExists, and DefinitionError for what cannot be run so, and for a
        job that runs on several hosts where none is named.

        >>> jober.run(["ls", "-l"], cwd="/srv").output.head(3)
        """
        from jober.client.what import Given, Local, Named, read_what

        how = {
            "process": process,
            "timeout": timeout,
            "retries": retries,
            "env": env,
            "cwd": os.fspath(cwd) if isinstance(cwd, os.PathLike) else cwd,
            "expires": expires,
            **fields,
        }
        how = {name: value for name, value in how.items() if value is not None}
        call = Call(
            args=args,
            kwargs=kwargs,
            how=how,
            id=id,
            owner=self.home.owner(detach),
            with_needs=with_needs,
            with_dependents=with_dependents,
            force=force,
            key=idempotency_key,
        )
        thing = read_what(what, shell)
        if (
            isinstance(thing, Given)
            and callable(what)
            and not self.home.is_found(thing.fields["call"])
        ):
            thing = Local(function=what, word=thing.word)
        if isinstance(thing, Named):
            return self._run_named(thing.name, host, call)
        if isinstance(thing, Given):
            return self._run_given(thing, host, call)
        return self._run_local(thing, call)

    def _run_named(self, name: str, host: str | None, call: Call) -> RunHandle:
        try:
            record = self._by_hand(name)
        except JobNotFound as error:
            raise JobNotFound(name, error.known, is_run=True) from None
        if host is not None:
            return self._start(record, [Place(host, asked=True)], call, host)[0]
        if record.job.on != "any":
            raise DefinitionError(
                f"it runs on several hosts (on = {json.dumps(record.job.on)})",
                job=name,
                field="host",
                mend="name one with host=, or call run_everywhere",
            )
        return self._start(record, self._places(record), call, None)[0]

    def _run_local(self, local: "Local", call: Call) -> RunHandle:
        """A function that only this program has, in a thread of it."""
        from jober.client.what import Given
        from jober.embedded.local import once

        for name in ("process", "timeout", "roles"):
            if self.home.is_folder and call.how.get(name):
                raise DefinitionError(
                    "the function is of this program alone, and runs in a thread of it",
                    field=name,
                    value=call.how[name],
                    mend="leave it out, or put the function into a module",
                )
        if self.home.is_folder and call.owner == DETACHED:
            raise DefinitionError(
                "the function is of this program alone, and ends with it",
                field="detach",
                value=True,
                mend="leave it out, or put the function into a module",
            )
        fields = self.home.local_fields(local.function)
        run = self._run_given(Given(fields=fields, word=local.word), None, call)
        once(fields["call"], run.id, self._ended)
        return run

    def _ended(self, ids: Collection[str]) -> list[str]:
        """Those of the runs that go on no more."""
        found = self.store.runs.found(ids)
        return [id for id in ids if id not in found or found[id].state.is_final]

    def _run_given(self, given: "Given", host: str | None, call: Call) -> RunHandle:
        from jober.job import OPTION_FIELDS, Job

        arguments = {"args": call.args, "kwargs": call.kwargs}
        call.check_fields((*OPTION_FIELDS, "roles", "priority"))
        job = Job(name=given.word, **{**given.fields, **arguments, **call.how})
        if self.home.is_folder and job.cwd is None and (job.process or not job.kind.is_call):
            # Where it runs is this host: where we are, it is too.
            job = job.replace(cwd=os.getcwd())
        how = how_fields(job)
        self.store.observe_time()
        run = ManualRun(
            id=call.run_id(given.word, self.store.clock.now_ms()),
            host=host,
            asked=host is not None,
            queue=priority_queue(job.queue, job.priority),
            data=job.payload(),
            description=job.description,
            expires_s=job.expires,
            spec=job.to_json(),
            call=call.told_apart,
            options=with_caller(how["options"], callers()),
            timeout=how["timeout"],
            waits=self._waits(None, job, call),
        )
        own = JobRuns(job=NO_JOB, runs=[run])
        return self._made([own], own, call, [given.fields, given.word, host])[0]

    @checked
    def run_everywhere(
        self,
        name: str,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        expires: float | None = None,
        with_needs: bool = False,
        with_dependents: bool = False,
        force: bool = False,
        idempotency_key: str | None = None,
    ) -> list[RunHandle]:
        """Run a job now on each live host of its roles, one run each; where its `on` is a
        number, on so many of them. The rest as in `run`.

        Raises JobNotFound, and JoberError where no such host is live.
        """
        record = self._by_hand(name)
        how = {} if expires is None else {"expires": expires}
        call = Call(
            args=args,
            kwargs=kwargs,
            how=how,
            id=None,
            owner=self.home.owner(None),
            with_needs=with_needs,
            with_dependents=with_dependents,
            force=force,
            key=idempotency_key,
        )
        return self._start(record, self._places(record), call, None)

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
