"""Which runs have not ended: of a job, or on a host.

What ends or begins while it is looked for may be missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from jober import roles
from jober.store import keys
from jober.store.connection import Connection

PAGE = 1000
_WAITING = (b"waiting", b"queued", b"parked", b"delayed")
_HELD = (b"reserved", b"running")


class LiveRunStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def of_job(self, job: str) -> list[str]:
        """Those of a job, oldest first: they wait in a queue, for a slot or a retry, or run."""
        found: dict[str, None] = {}
        first = 0
        # From the newest on: what is made meanwhile is seen twice at the worst.
        while page := self._redis.command("ZREVRANGE", keys.runs(job), first, first + PAGE - 1):
            for id, (state, *_) in self._fields([one.decode() for one in page], "state"):
                if state in _HELD or state in _WAITING:
                    found[id] = None
            first += PAGE
        return list(found)[::-1]

    def held(self) -> list[str]:
        """Those that agents have taken, on any host."""
        leases = self._redis.command("ZRANGE", keys.LEASES, 0, -1)
        held = (lease.decode("utf-8", "replace").split(" ")[0] for lease in leases)
        return [one.rpartition(":")[0] for one in held]

    def on_host(self, host: str) -> list[str]:
        """Those that run on a host, applications' own RQ jobs among them, and those that wait for
        it alone."""
        leases = self._redis.command("ZRANGE", keys.LEASES, 0, -1)
        words = (lease.decode("utf-8", "replace").split(" ") for lease in leases)
        running = [word[0].rpartition(":")[0] for word in words if word[2:3] == [host]]
        candidates = list(dict.fromkeys(chain(running, self._queued(host), self._put_off())))
        found = []
        for start in range(0, len(candidates), PAGE):
            page = self._fields(candidates[start : start + PAGE], "state", "host", "target")
            for id, (state, runs_on, bound_to) in page:
                if (state in _HELD and runs_on == host.encode()) or (
                    state in _WAITING and bound_to == host.encode()
                ):
                    found.append(id)
        return found

    def _queued(self, host: str) -> Iterator[str]:
        """What is in the queues of a host."""
        for key in sorted(self._redis.command("SMEMBERS", keys.RQ_QUEUES)):
            queue = key.decode().removeprefix("rq:queue:")
            if roles.split_priority(queue)[0] == roles.host_queue(host):
                yield from (id.decode() for id in self._redis.command("LRANGE", key, 0, -1))

    def _put_off(self) -> Iterator[str]:
        """What waits for a slot, to be tried again, or for other runs."""
        for key in (keys.NEEDING, keys.DELAYED, *self._redis.command("HKEYS", keys.PARKED)):
            yield from (id.decode() for id in self._redis.command("ZRANGE", key, 0, -1))

    def _fields(self, ids: Sequence[str], *names: str) -> Iterable[tuple[str, list[bytes | None]]]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in ids:
                pipeline.hmget(keys.rq_job(id), *names)
            return zip(ids, pipeline.execute(), strict=True)
