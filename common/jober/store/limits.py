"""Limits that jobs share: read here; APPLY writes them, together with the jobs that name them."""

from jober.limit import Limit
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import record


class LimitStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def slots(self) -> dict[str, int]:
        """How many slots each limit has, by name."""
        found = record(self._redis.command("HGETALL", keys.LIMITS))
        return {name: int(slots) for name, slots in sorted(found.items())}

    def all(self) -> list[Limit]:
        """Every limit as it stands, by name."""
        slots = self.slots()
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in slots:
                pipeline.zcard(keys.limit(name))
                pipeline.zcard(keys.limit_parked(name))
                pipeline.smembers(keys.limit_jobs(name))
            found = iter(pipeline.execute())
        return [
            Limit(
                name=name,
                slots=number,
                used=used,
                waiting=waiting,
                jobs=tuple(sorted(job.decode() for job in jobs)),
            )
            for (name, number), used, waiting, jobs in zip(
                slots.items(), found, found, found, strict=True
            )
        ]

    def unpark(self, cursor: int = 0, limit: int = 200) -> tuple[int, int]:
        """Put runs that wait though a slot is free into their queues; the cursor of the next look
        (0 after the last), and how many there were."""
        following, moved = self._redis.run("unpark", [keys.PARKED, keys.LIMITS], [cursor, limit])
        return int(following), int(moved)
