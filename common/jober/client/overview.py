"""How the fleet stands as a whole, and runs of very many jobs in brief."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jober.client.access import Access
from jober.client.arguments import checked
from jober.queue_info import Counts, QueueInfo
from jober.run import Run, RunBrief

if TYPE_CHECKING:
    from jober.job import Job

_MINUTE_MS = 60_000


class Overview(Access):
    """What pages of many things show."""

    def queues(self) -> list[QueueInfo]:
        """Every queue that there is or was, with what waits there."""
        return self.store.overview.queues()

    def counts(self) -> Counts:
        """How many jobs there are, and runs that go on or wait."""
        self.store.observe_time()
        return self.store.overview.counts(self.store.clock.now_ms(), self.queues())

    @checked
    def made_by_minute(self, n: int = 60) -> list[int]:
        """How many runs were made in each of the last `n` minutes, the newest last."""
        now_ms = self.store.clock.now_ms()
        edges = [now_ms - place * _MINUTE_MS for place in range(n, -1, -1)]
        return self.store.overview.made(edges)

    @checked
    def running(self, limit: int = 100) -> list[Run]:
        """Runs that agents have taken, those first whose agents told of them longest ago."""
        return list(self.store.runs.found(self.store.live_runs.held()[:limit]).values())

    @checked
    def bad_runs(self, hours: float = 24, limit: int = 20) -> tuple[list[Run], int, int]:
        """The newest runs of the last hours that have ended badly, how many there are, and how
        far back runs were looked at (ms): where there are very many, not all of those hours."""
        since_ms = self.store.clock.now_ms() - round(hours * 60 * _MINUTE_MS)
        ids, number, looked_ms = self.store.briefs.bad_since(since_ms, limit)
        return list(self.store.runs.found(ids).values()), number, looked_ms

    @checked
    def histories(self, names: Sequence[str], n: int = 20) -> dict[str, list[RunBrief]]:
        """The newest `n` runs of each of these jobs, in brief, the newest last."""
        return self.store.briefs.newest(names, n)

    @checked
    def revisions(self, name: str) -> "dict[int, Job]":
        """The definitions of a job that are kept, by their last revision, the newest first."""
        return self.store.former.all(name)
