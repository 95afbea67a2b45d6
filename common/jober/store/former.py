"""The definitions that a job has had."""

from typing import TYPE_CHECKING

from jober.store import keys
from jober.store.connection import Connection

if TYPE_CHECKING:
    from jober.job import Job


class FormerStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def of(self, name: str) -> "dict[int, Job]":
        """Those that are kept, by their last revision, the newest first; the current one is the
        first. A changed calendar makes a revision too, of the same definition."""
        from jober.job import Job

        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=True)
            pipeline.hmget(keys.job(name), "revision", "spec")
            pipeline.hgetall(keys.former(name))
            (now, spec), former = pipeline.execute()
        specs = {int(at): text for at, text in former.items()}
        if spec is not None:
            specs[int(now)] = spec
        return {at: Job.from_json(name, specs[at]) for at in sorted(specs, reverse=True)}
