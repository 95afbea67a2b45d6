"""FIRE: what the leader decided, carried out in one fenced step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jober.fire import FirePlan, PlannedFire
from jober.ledger import Decision
from jober.store import keys, rq
from jober.store.connection import Connection
from jober.store.fields import packed
from jober.store.leases import KEEP_S

# A fire may be ahead of Redis's clock by no more than this.
EARLY_MS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FireReply:
    """`fenced`: we lead no more, and nothing was done. Else what became of each plan, in order:
    `done`, `stale` (the definition is another by now), `paused` or `early`."""

    fenced: bool
    results: tuple[str, ...] = ()
    runs: int = 0


class FireStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def wake_waiting(self, limit: int) -> int:
        """Have jobs that wait for a host planned anew, since one may have come; how many."""
        return int(self._redis.run("wake", [keys.WAITING, keys.DUE, keys.JOBS], [limit]))

    def pack(self, plans: Sequence[FirePlan]) -> bytes:
        """The plans as `fire` sends them, ready before they are due."""
        return packed([_plain(plan) for plan in plans])

    def fire(self, token: str, plans: bytes) -> FireReply:
        """Carry out what `pack` made, under the fence of the leader's token."""
        reply = self._redis.run(
            "fire",
            [keys.LEADER, keys.DUE, keys.WAITING],
            [
                token,
                plans,
                EARLY_MS,
                KEEP_S,
                rq.traceback_payload("cancelled: a later fire took its place"),
            ],
        )
        if reply[0] == b"fenced":
            return FireReply(fenced=True)
        return FireReply(
            fenced=False, results=tuple(done.decode() for done in reply[1]), runs=reply[2]
        )


def _plain(plan: FirePlan) -> list[Any]:
    """As the script takes it."""
    return [
        plan.name,
        str(plan.revision),
        str(plan.cursor_ms),
        "" if plan.next_ms is None else str(plan.next_ms),
        "" if plan.told_ms is None else str(plan.told_ms),
        *([["ordered", *(text for order in plan.orders for text in order)]] if plan.orders else []),
        *(_decision(fire) for fire in plan.fires),
        *([] if plan.placed is None else [["placed", " ".join(plan.placed)]]),
    ]


def _decision(fire: PlannedFire) -> list[Any]:
    if fire.decision is Decision.MISSED:
        return ["missed", fire.at_ms, fire.reason or "", fire.first_ms or fire.at_ms, fire.count]
    if fire.decision is Decision.SHORT:
        return ["short", fire.at_ms, fire.reason or ""]
    may_move = any(run.may_move for run in fire.runs)
    told: list[Any] = ["preferred" if may_move else "fired", fire.at_ms]
    for run in fire.runs:
        told += (run.id, run.host or "")
    return told
