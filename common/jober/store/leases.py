"""The way of a run through an agent: CLAIM, FINISH; and RECLAIM, where the agent is gone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jober.run import Claim, Outcome, RunState
from jober.store import keys, rq
from jober.store.agents import LEASE_MS
from jober.store.connection import Connection
from jober.store.fields import packed, text

# How long a finished run, its result and its output are kept.
KEEP_S = 7 * 86_400
# A longer return value is not stored.
MAX_RESULT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The report of an ended attempt; `last_seq` is the last frame of its output."""

    claim: Claim
    host: str
    outcome: Outcome
    last_seq: int = 0


class LeaseStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def claim(self, agent: str, host: str, queues: Sequence[str], n: int) -> list[Claim]:
        """Take up to `n` runs from the queues, in their order."""
        reply = self._redis.run(
            "claim",
            [
                keys.LEASES,
                keys.agent_runs(agent),
                keys.RQ_SUSPENDED,
                *(keys.rq_queue(queue) for queue in queues),
            ],
            [agent, host, LEASE_MS, n, *queues],
        )
        return [
            Claim(
                id=id.decode("utf-8", "replace"),
                attempt=attempt,
                job=text(job),
                queue=queue.decode("utf-8", "replace"),
                data=data,
                options=options.decode("utf-8", "replace"),
                trigger=trigger.decode("utf-8", "replace"),
                fire_at=text(fire_at),
                timeout=text(timeout),
            )
            for id, attempt, job, queue, data, options, trigger, fire_at, timeout in reply
        ]

    def wait(self, queues: Sequence[str], wait_s: float) -> bool:
        """Wait until one of the queues' bells rings, for at most `wait_s` seconds."""
        with self._redis.guard():
            return bool(
                self._redis.client.blpop([keys.bell(queue) for queue in queues], timeout=wait_s)
            )

    def ring(self, queue: str) -> None:
        """Wake whoever waits at the queue."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline()
            pipeline.rpush(keys.bell(queue), "1")
            pipeline.expire(keys.bell(queue), 60)
            pipeline.execute()

    def finish(self, agent: str, finishes: Sequence[Finish]) -> list[bool]:
        """Report ended attempts, one script for all. False for one that is not ours any more."""
        told = [
            {
                "id": end.claim.id,
                "attempt": end.claim.attempt,
                "job": end.claim.job or "",
                "queue": end.claim.queue,
                "host": end.host,
                "outcome": _plain(end),
            }
            for end in finishes
        ]
        replies = self._redis.run(
            "finish", [keys.LEASES, keys.rq_worker(agent)], [agent, KEEP_S, packed(told)]
        )
        return [reply == b"done" for reply in replies]

    def reclaim(self, limit: int = 100) -> list[str]:
        """Give up the runs whose leases are over; tells their ids."""
        lost = self._redis.run(
            "reclaim",
            [keys.LEASES],
            [limit, KEEP_S, rq.traceback_payload("lost: its agent fell silent")],
        )
        return [id.decode() for id in lost]

    def server(self) -> str:
        """The identity of the running Redis server; it changes with a restart or a failover."""
        with self._redis.guard():
            info: Any = self._redis.client.info("server")
        return str(info["run_id"])


def _plain(end: Finish) -> dict[str, Any]:
    outcome = end.outcome
    reason, result, rq_result, rq_traceback = outcome.reason, None, None, None
    if outcome.return_value is not None:
        result = json.dumps(outcome.return_value)
        if len(result) > MAX_RESULT_BYTES:
            reason = (
                f"the return value was not kept: {len(result)} bytes are over {MAX_RESULT_BYTES}"
            )
            result = None
        else:
            as_json = end.claim.trigger == "rq"
            rq_result = rq.result_payload(outcome.return_value, as_json=as_json)
    if outcome.state is not RunState.SUCCESS:
        rq_traceback = rq.traceback_payload(
            outcome.traceback or outcome.reason or str(outcome.state)
        )
    facts = {
        "state": str(outcome.state),
        "exit_code": outcome.exit_code,
        "reason": reason,
        "result": result,
        "rq_result": rq_result,
        "traceback": outcome.traceback,
        "rq_traceback": rq_traceback,
        "last_seq": end.last_seq,
        "cpu_s": None if outcome.cpu_s is None else f"{outcome.cpu_s:.6f}",
        "peak_memory_bytes": outcome.peak_memory_bytes,
    }
    return {name: value for name, value in facts.items() if value is not None}
