"""The runs that there are: listed, found again, cancelled."""

from collections.abc import Iterator, Sequence

from jober.client.access import Access
from jober.client.arguments import checked
from jober.client.handle import RunHandle
from jober.run import Run

# A script must not hold Redis up for long.
CANCEL_BATCH = 100


class Runs(Access):
    """All runs, whoever made them."""

    @checked
    def runs(
        self, name: str | None = None, *, after: str | None = None, limit: int = 100
    ) -> list[Run]:
        """A page of runs, newest first, of one job or of all; those after the run with the id
        `after`, the last one of the page before."""
        return self.store.runs.page(name, after, limit)

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
