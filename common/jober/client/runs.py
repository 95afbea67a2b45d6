"""The runs that there are: listed, found again, cancelled."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from jober.client.access import Access
from jober.client.arguments import checked
from jober.client.handle import RunHandle
from jober.client.moments import read_moment_ms
from jober.errors import DefinitionError, did_you_mean
from jober.page import Page
from jober.run import Run, RunState
from jober.run_filter import RunFilter

# A datetime, ISO text, or a span ago, as "2h".
Moment = datetime | str

# A script must not hold Redis up for long.
CANCEL_BATCH = 100
# A page of runs looks at so many for those that are wanted.
LOOKED_THROUGH = 2_000


class Runs(Access):
    """All runs, whoever made them."""

    @checked
    def runs(
        self,
        name: str | None = None,
        *,
        state: str | Sequence[str] | None = None,
        host: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        tag: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Run]:
        """A page of runs, newest first, of one job or of all; those after the run with the id
        `after`, the last one of the page before.

        `state` is one, or several; `since` and `until` say when they were made: a datetime, ISO
        text, or text such as "2h" for so long ago; `tag` is one that their job has now. Where
        records have expired, a page may be shorter than `limit`; an empty one is the last.
        """
        wanted = self._run_filter(name, state, host, since, until, tag)
        jobs = self.store.found_jobs.tagged(tag) if tag is not None else None
        return self.store.runs.page(name, after, limit, wanted, jobs)

    @checked
    def run_page(
        self,
        name: str | None = None,
        *,
        state: str | Sequence[str] | None = None,
        host: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        tag: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[Run]:
        """As `runs`, and where the next page begins. It looks at some thousands of runs at the
        most: where few of them are what is looked for, the page is short, and has a next one."""
        wanted = self._run_filter(name, state, host, since, until, tag)
        jobs = self.store.found_jobs.tagged(tag) if tag is not None else None
        found, following = self.store.runs.looked_through(
            name, after, limit, wanted, jobs, LOOKED_THROUGH
        )
        return Page(items=tuple(found), next=following)

    def _run_filter(
        self,
        name: str | None = None,
        state: str | Sequence[str] | None = None,
        host: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        tag: str | None = None,
    ) -> RunFilter:
        """What `runs` looks for. Raises DefinitionError."""
        now_ms = self.store.clock.now_ms()
        several = isinstance(state, list | tuple | set | frozenset)
        states: Any = state if several else () if state is None else [state]
        return RunFilter(
            job=name,
            states=frozenset(_state(one) for one in states),
            host=host,
            since_ms=None if since is None else read_moment_ms(since, "since", now_ms),
            until_ms=None if until is None else read_moment_ms(until, "until", now_ms),
            tag=tag,
        )

    @checked
    def handle(self, id: str) -> RunHandle:
        """The handle of a run that is there. Raises RunNotFound."""
        self.store.runs.get(id)
        return RunHandle(self, id)

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


def _state(told: object) -> RunState:
    try:
        return RunState(str(told))
    except ValueError:
        raise DefinitionError(
            f"{told!r:.60} is no state of a run{did_you_mean(str(told)[:100], list(RunState))}",
            field="state",
            value=told,
            mend=f"one of {', '.join(RunState)}",
        ) from None
