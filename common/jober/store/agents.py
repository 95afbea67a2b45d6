"""Agents in Redis: they join, renew and leave; the roster is who is live."""

import json
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jober.agent_info import AgentInfo, HostOrders
from jober.pace import paced_ms
from jober.run import KEEP_FOR_S
from jober.schema import SCHEMA
from jober.store import keys, rq
from jober.store.connection import Connection
from jober.store.fields import moment_ms, moment_text, number, packed, record, text
from jober.store.unreadable import Unreadable

# How long an agent, and what it runs, is believed to live without a sign.
LEASE_MS = paced_ms(10_000)
# A claim whose reply never came is put back after this; more than the client waits for one.
UNKNOWN_CLAIM_MS = paced_ms(15_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewReply:
    """What the leases of an agent came to. `known` is false where it must join again."""

    lost: frozenset[str]
    cancel: dict[str, str]  # the lease, and why
    known: bool
    orders: HostOrders = HostOrders()


class AgentStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._unreadable = Unreadable("agent")

    def join(self, agent: AgentInfo, queues: Sequence[str]) -> HostOrders:
        """Register the agent, for us and for RQ's tools; harmless when it is there already. Tells
        what is ordered of its host."""
        now_ms = self._redis.clock.now_ms()
        fields = {
            "host": agent.host,
            "pid": str(agent.pid),
            "roles": _roles_text(agent.roles),
            "own_roles": _roles_text(agent.own_roles or agent.roles),
            "slots": str(agent.slots),
            "version": agent.version,
            "schema": str(SCHEMA),
            "state": agent.state,
            "running": str(agent.running),
            "allows": agent.allows,
            "trusts": " ".join(agent.trusts),
        }
        worker = rq.worker_fields(
            host=agent.host,
            pid=agent.pid,
            queues=list(queues),
            python=platform.python_version(),
            birth=moment_text(agent.started_at_ms or now_ms),
        )
        _now, orders = self._redis.run(
            "join",
            [
                keys.AGENTS,
                keys.agent(agent.id),
                keys.RQ_WORKERS,
                keys.rq_worker(agent.id),
                keys.RQ_QUEUES,
                keys.WAKE,
                keys.CORDONED,
                keys.ROLES,
            ],
            [agent.id, LEASE_MS, packed(fields), packed(worker), *queues],
        )
        return _orders(*orders)

    def serves(self, agent: str, queues: Sequence[str]) -> None:
        """Tell RQ's tools which queues a registered agent serves by now."""
        self._redis.run("serves", [keys.rq_worker(agent)], list(queues))

    def renew(
        self,
        agent: str,
        leases: Iterable[str],
        *,
        running: int,
        load: float,
        state: str,
        problem: str = "",
        clock_ahead_ms: int | None = None,
    ) -> RenewReply:
        """The heartbeat: extend the leases; learn which are lost and which to cancel.

        A `problem` is told as an event when it comes up, and kept as long as it lasts."""
        fields = {"running": str(running), "load": f"{load:.2f}", "state": state}
        fields["problem"] = problem
        if clock_ahead_ms is not None:
            fields["clock_ahead"] = str(clock_ahead_ms)
        _now, lost, cancel, known, orders = self._redis.run(
            "renew",
            [
                keys.LEASES,
                keys.AGENTS,
                keys.agent(agent),
                keys.agent_runs(agent),
                keys.rq_worker(agent),
                keys.CORDONED,
                keys.ROLES,
            ],
            [
                agent,
                LEASE_MS,
                UNKNOWN_CLAIM_MS,
                packed(fields),
                KEEP_FOR_S,
                rq.STOPPED_EARLY,
                *leases,
            ],
        )
        return RenewReply(
            lost=frozenset(lease.decode() for lease in lost),
            cancel={lease.decode(): reason.decode() for lease, reason in cancel},
            known=bool(known),
            orders=_orders(*orders),
        )

    def leave(self, agent: str) -> bool:
        """The agent goes in order."""
        return self._leave(agent, "left")

    def bury(self, limit: int = 100, server: str = "") -> list[str]:
        """Strike off the agents that have been silent for longer than their lease. Where a `server`
        is named, none where another one answers by now."""
        now = self._redis.clock.now_ms()
        silent = self._redis.command("ZRANGEBYSCORE", keys.AGENTS, "-inf", now, "LIMIT", 0, limit)
        return [id.decode() for id in silent if self._leave(id.decode(), "lost", server)]

    def any_silent(self) -> bool:
        """Whether an agent has been silent for longer than its lease, and is not struck off yet."""
        now = self._redis.clock.now_ms()
        return bool(self._redis.command("ZCOUNT", keys.AGENTS, "-inf", now))

    def _leave(self, agent: str, how: str, server: str = "") -> bool:
        gone = self._redis.run(
            "leave",
            [keys.AGENTS, keys.agent(agent), keys.RQ_WORKERS, keys.rq_worker(agent)],
            [agent, how, server],
        )
        return bool(gone)

    def live(self) -> list[AgentInfo]:
        """Who is live, by host and id."""
        now = self._redis.clock.now_ms()
        ids = self._redis.command("ZRANGEBYSCORE", keys.AGENTS, f"({now}", "+inf")
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in ids:
                pipeline.hgetall(keys.agent(id.decode()))
                pipeline.zcard(keys.agent_runs(id.decode()))
            found = pipeline.execute()
        rows = zip(ids, found[::2], found[1::2], strict=True)
        agents = self._unreadable.passed_over(
            _agent, [(id, record(fields), held) for id, fields, held in rows if fields]
        )
        return sorted(agents, key=lambda agent: (agent.host, agent.id))

    def order(self, host: str, order: str, roles: Iterable[str] | None = None) -> bool:
        """Order something of a host, live or not: `cordon`, `uncordon`, or `roles` (None gives its
        agents their own back). False where it was so already."""
        told = "" if roles is None else _roles_text(roles)
        return bool(
            self._redis.run(
                "order",
                [keys.CORDONED, keys.ROLES, keys.AGENTS, keys.WAKE],
                [host, order, told],
            )
        )

    def orders(self) -> dict[str, HostOrders]:
        """What is ordered, by host; those that nothing is ordered of are not among them."""
        cordoned = record(self._redis.command("HGETALL", keys.CORDONED))
        roles = record(self._redis.command("HGETALL", keys.ROLES))
        return {
            host: _orders(host in cordoned, roles.get(host, b""))
            for host in sorted({*cordoned, *roles})
        }

    def held(self, host: str) -> list[str]:
        """The runs that agents of a host have and have not reported yet."""
        leases = self._redis.command("ZRANGE", keys.LEASES, 0, -1)
        words = (lease.decode("utf-8", "replace").split(" ") for lease in leases)
        return sorted(word[0].rpartition(":")[0] for word in words if word[2:3] == [host])

    def queues(self) -> list[str]:
        """The names of all queues that exist."""
        found = self._redis.command("SMEMBERS", keys.RQ_QUEUES)
        return sorted(key.decode().removeprefix("rq:queue:") for key in found)

    def queue_number(self) -> int:
        """How many queues exist."""
        return int(self._redis.command("SCARD", keys.RQ_QUEUES))

    def listen(
        self, agent: str, on_command: Callable[[dict[str, Any]], None], stopped: Callable[[], bool]
    ) -> None:
        """Hand each command sent to the agent, or to all agents, to `on_command`, until stopped.

        Commands are RQ's: `{"command": "stop-job", "job_id": …}`, `{"command": "shutdown"}`;
        ours beside them: `{"command": "queues"}`, where a new queue has come up, and
        `{"command": "orders"}`, where an operator has ordered something of its host.
        """
        with self._redis.guard():
            channel = self._redis.client.pubsub(ignore_subscribe_messages=True)
            channel.subscribe(keys.rq_pubsub(agent), keys.CONTROL)
            try:
                while not stopped():
                    message = channel.get_message(timeout=1.0)
                    if message and message["type"] == "message":
                        command = _command(message["data"])
                        if command:
                            on_command(command)
            finally:
                channel.close()


def _roles_text(roles: Iterable[str]) -> str:
    return json.dumps(sorted(roles))


def _orders(cordoned: int, roles: bytes) -> HostOrders:
    return HostOrders(
        cordoned=bool(cordoned), roles=frozenset(json.loads(roles)) if roles else None
    )


def _command(payload: bytes) -> dict[str, Any] | None:
    """A command, or None where the message is none: anybody may publish anything."""
    try:
        command = json.loads(payload)
    except ValueError:
        return None
    return command if isinstance(command, dict) else None


def _agent(id: bytes, fields: dict[str, bytes], held: int) -> AgentInfo:
    """What it has claimed is known at once, and what it tells of itself as of its last sign."""
    return AgentInfo(
        id=id.decode(),
        host=text(fields.get("host")) or "",
        pid=number(fields.get("pid")) or 0,
        roles=frozenset(json.loads(fields.get("roles") or b"[]")),
        own_roles=frozenset(json.loads(fields.get("own_roles") or b"[]")),
        slots=number(fields.get("slots")) or 0,
        version=text(fields.get("version")) or "",
        state=text(fields.get("state")) or "up",
        running=max(number(fields.get("running")) or 0, held),
        load=float(fields.get("load") or 0),
        started_at_ms=moment_ms(fields.get("started_at")) or 0,
        seen_at_ms=moment_ms(fields.get("seen_at")) or 0,
        allows=text(fields.get("allows")) or "",
        trusts=tuple((text(fields.get("trusts")) or "").split()),
        clock_ahead_ms=number(fields.get("clock_ahead")),
        problem=text(fields.get("problem")) or "",
    )
