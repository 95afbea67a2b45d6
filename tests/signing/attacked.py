"""A fleet with keys, and somebody who can write to its Redis, and has none."""

import json
from pathlib import Path
from typing import Any

import redis

from jober.embedded import RedisServer
from jober.run import Run
from jober.store import keys
from tests.signing.signed_fleet import SignedFleet
from tests.waiting import wait_until

# Whatever redis-py takes: the names of fields, and what is in them.
Record = dict[Any, Any]


class Attacked:
    """A fleet, and who attacks it. `mark` is what no attack may bring about."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.fleet = SignedFleet(server.url, folder)
        self.client: redis.Redis = redis.Redis.from_url(server.url)
        self.mark = folder / "executed"
        self.jober = self.fleet.jober

    def evil(self) -> bytes:
        call: list[Any] = ["jober_worker.functions.shell", None, [f"touch {self.mark}"], {}]
        return json.dumps(call).encode()

    def held(self, name: str, **how: Any) -> str:
        """A run that was ordered, and that no agent has taken yet: they are told to take none."""
        self.client.set("rq:suspended", 1)
        return self.jober.run(name, **how).id

    def let_go(self, id: str) -> Run:
        """The run as it ends."""
        self.client.delete("rq:suspended")
        for queue in ("db", "@alpha"):
            self.client.rpush(keys.bell(queue), 1)
        return self.end(id)

    def end(self, id: str) -> Run:
        def ended() -> Run | None:
            run = self.jober.store.runs.get(id)
            return run if run.state.is_final else None

        return wait_until(ended, 30, f"the end of {id}")

    def put(self, id: str, queue: str, record: Record) -> None:
        """A run that nobody has ordered."""
        self.client.delete(keys.rq_job(id))
        self.client.hset(keys.rq_job(id), mapping=record)
        self.client.rpush(keys.rq_queue(queue), id)
        self.client.rpush(keys.bell(queue), 1)

    def copy(self, id: str) -> Record:
        told: Any = self.client.hgetall(keys.rq_job(id))
        record = {name.decode(): value for name, value in told.items()}
        for name in ("attempt", "agent", "host", "started_at", "ended_at", "reason", "expires_at"):
            record.pop(name, None)
        return {**record, "status": "queued", "state": "queued"}


def refused(run: Run, attacked: Attacked, why: str) -> None:
    assert run.state == "failed"
    assert run.reason is not None
    assert run.reason.startswith("refused: "), run.reason
    assert why in run.reason
    assert not attacked.mark.exists()


def definition(attacked: Attacked, name: str) -> Record:
    told: Any = attacked.client.hgetall(keys.job(name))
    return {field.decode(): value for field, value in told.items()}
