"""The definitions that a job has had."""

from typing import TYPE_CHECKING

from jober.store import keys
from jober.store.connection import Connection

if TYPE_CHECKING:
    from jober.job import Job


class FormerStore:
    """A changed calendar makes a revision too, of the same definition: a definition is kept by the
    last revision that has it."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def all(self, name: str) -> "dict[int, Job]":
        """Those that are kept, by their last revision, the newest first; the current one is the
        first."""
        specs = self._specs(name)
        return {at: _job(name, specs[at]) for at in sorted(specs, reverse=True)}

    def at(self, name: str, revision: int) -> "Job | None":
        """The one that the job had at a revision; None where it is kept no more."""
        specs = self._specs(name)
        last = min((at for at in specs if at >= revision), default=None)
        return None if last is None else _job(name, specs[last])

    def _specs(self, name: str) -> dict[int, bytes]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=True)
            pipeline.hmget(keys.job(name), "revision", "spec")
            pipeline.hgetall(keys.former(name))
            (now, spec), former = pipeline.execute()
        specs = {int(at): text for at, text in former.items()}
        if spec is not None:
            specs[int(now)] = spec
        return specs


def _job(name: str, spec: bytes) -> "Job":
    from jober.job import Job

    return Job.from_json(name, spec)
