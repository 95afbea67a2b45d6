"""Whose runs are to end with them: programs that have opened a folder, and made runs there."""

from jober.store import keys
from jober.store.connection import Connection

# The owner of runs that end with nobody.
DETACHED = "detached"


class OwnerStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def all(self) -> list[str]:
        """Who has, or had, runs."""
        return sorted(one.decode() for one in self._redis.command("SMEMBERS", keys.OWNERS))

    def runs(self, owner: str) -> list[str]:
        """The runs of an owner that go on."""
        ids = [id.decode() for id in self._redis.command("SMEMBERS", keys.owned(owner))]
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in ids:
                pipeline.hmget(keys.rq_job(id), "origin", "ended_at")
            found = pipeline.execute()
        return [id for id, (origin, ended) in zip(ids, found, strict=True) if origin and not ended]

    def forget(self, owner: str) -> None:
        """The owner is no more, and none of its runs goes on for its sake."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=True)
            pipeline.delete(keys.owned(owner))
            pipeline.srem(keys.OWNERS, owner)
            pipeline.execute()
