"""Services in Redis: how each of their places stands, and what the leader does about it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jober.run import RunState
from jober.service import (
    PlaceState,
    Service,
    ServiceAction,
    ServicePlace,
    ServicePolicy,
    ServiceRun,
)
from jober.store import keys, rq
from jober.store.connection import Connection
from jober.store.fields import moment_ms, number, packed, text
from jober.store.leases import KEEP_S
from jober.store.service_starts import ServiceStarts, Start
from jober.store.unreadable import Unreadable

if TYPE_CHECKING:
    # Loaded where there is a key to sign by.
    from jober.store.signer import Signer

# A script must not hold Redis up for long.
READ_BATCH = 50
SERVE_BATCH = 100


class ServiceStore:
    def __init__(self, connection: Connection, signer: "Signer | None" = None) -> None:
        self._redis = connection
        self._signer = signer
        self._starts = ServiceStarts(connection)
        self._unreadable = Unreadable("service")

    def all(self) -> list[Service]:
        """Every service, by name."""
        found = self._redis.command("SMEMBERS", keys.SERVICES)
        names = sorted(name.decode("utf-8", "replace") for name in found)
        return self.of(names)

    def of(self, names: Iterable[str]) -> list[Service]:
        """The services among these jobs."""
        wanted = list(names)
        found = [
            row
            for start in range(0, len(wanted), READ_BATCH)
            for row in self._redis.run("services", [], wanted[start : start + READ_BATCH])
        ]
        return self._unreadable.passed_over(_service, found)

    def serve(self, token: str, actions: Sequence[ServiceAction]) -> list[bool] | None:
        """Carry out what was decided, under the fence of the leader's token; None where it leads no
        more. False for an action whose place is no longer as it was seen; nothing was done then."""
        done: list[bool] = []
        for start in range(0, len(actions), SERVE_BATCH):
            batch = actions[start : start + SERVE_BATCH]
            plain = [_plain(action) for action in batch]
            starts = self._signed(plain, token)
            reply = self._redis.run(
                "serve",
                [keys.LEADER],
                [
                    token,
                    packed(plain),
                    KEEP_S,
                    rq.traceback_payload("stopped: it is to run elsewhere, or as defined now"),
                ],
            )
            if reply[0] == b"fenced":
                return None
            results = [result == b"done" for result in reply[1]]
            for action, was_done in zip(plain, results, strict=True):
                if was_done and action["start"] and action["start"]["id"] in starts:
                    self._starts.note(starts[action["start"]["id"]])
            done += results
        return done

    def _signed(self, actions: list[dict[str, Any]], token: str) -> dict[str, Start]:
        """Put an order into each run that is started, where runs are ordered here, and leave away
        those that must not be as yet. The others, by their ids."""
        signer = self._signer
        if signer is None or not signer.orders:
            return {}
        asked = [action for action in actions if action["start"]]
        believed = signer.believed(action["job"] for action in asked)
        found = {}
        for action in asked:
            start = action["start"]
            seal, fields = believed.get(action["job"], (None, {}))
            # Whoever can write to Redis may have put another job among the services.
            if seal and (policy := fields.get("service")):
                found[start["id"]] = Start(
                    job=action["job"],
                    place=action["place"],
                    run=start["id"],
                    sealed_ms=seal.at_ms,
                    at_ms=self._redis.clock.now_ms(),
                    policy=ServicePolicy.read(policy.decode()),
                )
                start["order"] = signer.order(
                    start["id"],
                    action["job"],
                    seal,
                    host=(not start["may_move"] and start["host"]) or "",
                    term=token.partition(":")[0],
                )
        held = self._starts.held_back(list(found.values()))
        for action in asked:
            if action["start"]["id"] in held:
                action["revision"] = ""  # as one that has come too late: nothing is done
        return found


def _plain(action: ServiceAction) -> dict[str, Any]:
    """As the script takes it."""
    start = action.start
    return {
        "job": action.job,
        "revision": str(action.revision),
        "place": action.place,
        "before": action.before,
        "after": action.after.to_json() if action.after else False,
        "start": start
        and {"id": start.id, "host": start.host or False, "may_move": start.may_move}
        or False,
        "stop": action.stop or False,
        "run": PlaceState.read(action.before).run if action.before else "",
        "event": action.event or False,
        "facts": action.facts,
    }


def _service(
    name: bytes, revision: bytes, paused: bytes, policy: bytes, places: list[list[Any]]
) -> Service:
    return Service(
        name=name.decode(),
        revision=int(revision),
        paused=paused == b"1",
        policy=ServicePolicy.read(policy.decode()),
        places=tuple(sorted((_place(*found) for found in places), key=lambda one: one.name)),
    )


def _place(
    name: bytes,
    known: bytes,
    run_state: bytes,
    host: bytes,
    is_current: int,
    started_at: bytes,
    ended_at: bytes,
    exit_code: bytes,
    reason: bytes,
) -> ServicePlace:
    state = PlaceState.read(known.decode())
    run = (
        ServiceRun(
            id=state.run,
            state=RunState(run_state.decode()),
            host=text(host),
            is_current=bool(is_current),
            started_at_ms=moment_ms(started_at),
            ended_at_ms=moment_ms(ended_at),
            exit_code=number(exit_code),
            reason=text(reason),
        )
        if run_state
        else None
    )
    return ServicePlace(name=name.decode(), text=known.decode(), state=state, run=run)
