"""How much there is of everything: counted by Redis, in a round trip or two."""

from collections.abc import Sequence

from jober.queue_info import Counts, QueueInfo
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import moment_ms, readable

# A job that is due for so long is late: somebody should have decided on its fire.
OVERDUE_MS = 10_000
_QUEUE = "rq:queue:"


class OverviewStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def queues(self) -> list[QueueInfo]:
        """Every queue that there is or was, by name; the one whose runs wait longest is no
        further away than its first run."""
        names = sorted(
            key.decode().removeprefix(_QUEUE)
            for key in self._redis.command("SMEMBERS", keys.RQ_QUEUES)
        )
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.llen(keys.rq_queue(name))
                pipeline.lindex(keys.rq_queue(name), 0)
            found = iter(pipeline.execute() if names else [])
            told = [(name, next(found), next(found)) for name in names]
            for _, _, oldest in told:
                pipeline.hget(keys.rq_job((oldest or b"-").decode()), "enqueued_at")
            since = pipeline.execute() if told else []
        return [
            QueueInfo(
                name=name,
                waiting=waiting,
                oldest=oldest.decode() if oldest else None,
                oldest_at_ms=readable(moment_ms, at),
            )
            for (name, waiting, oldest), at in zip(told, since, strict=True)
        ]

    def counts(self, now_ms: int, queues: Sequence[QueueInfo]) -> Counts:
        """The counts, with those of the queues that were read before."""
        parked = self._redis.command("HKEYS", keys.PARKED)
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for key in (keys.JOBS, keys.LEASES, keys.DELAYED, keys.NEEDING):
                pipeline.zcard(key)
            pipeline.zcount(keys.DUE, "-inf", now_ms - OVERDUE_MS)
            for key in parked:
                pipeline.zcard(key)
            jobs, running, delayed, waiting, overdue, *of_parked = pipeline.execute()
        return Counts(
            jobs=jobs,
            running=running,
            queued=sum(queue.waiting for queue in queues),
            parked=sum(of_parked),
            delayed=delayed,
            waiting=waiting,
            overdue=overdue,
        )

    def made(self, edges_ms: Sequence[int]) -> list[int]:
        """How many runs were made between each moment and the next."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for start, end in zip(edges_ms, edges_ms[1:], strict=False):
                pipeline.zcount(keys.RUNS, start, f"({end}")
            return list(pipeline.execute()) if len(edges_ms) > 1 else []
