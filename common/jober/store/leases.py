"""The way of a run through an agent: CLAIM, FINISH; RECLAIM and STRAY, where its agent or its host
is gone; PROMOTE and MISS, where a moment has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jober.end_policy import EndPolicy
from jober.run import KEEP_FOR_S, Claim, Outcome, RunState, Work
from jober.store import keys, rq
from jober.store.agents import LEASE_MS
from jober.store.connection import Connection
from jober.store.fields import packed, text, unpacked
from jober.store.report import Finish, Report, report_of, works_and_ends

# How long a finished run, its result and its output are kept, where its job does not say.
KEEP_S = KEEP_FOR_S
# So many runs are claimed at once, at the most.
CLAIM_AT_MOST = 200
# Of so many different works it is remembered that they were told before.
WORKS_AT_MOST = 1000

_NO_RECORD: Mapping[bytes, bytes] = {}
_LOST = rq.traceback_payload("lost: its agent fell silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclaimed:
    """The ids of runs whose agents fell silent: those that are lost, those tried again, and those
    that are not, since that has happened too often."""

    lost: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    poisoned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The `runs` that an agent has taken; `held_back` where one waits that takes more slots than
    are free."""

    runs: list[Claim]
    held_back: bool


class LeaseStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._works: dict[tuple[Any, ...], Work] = {}

    def claim(
        self,
        agent: str,
        host: str,
        queues: Sequence[str],
        free: int,
        slots: int | None = None,
        ahead: int = 0,
        ahead_once: int = 0,
    ) -> Claimed:
        """Fill the `free` slots of an agent, which has `slots` in all (default: those), with runs
        of the queues, in their order; and reserve at most `ahead` beyond them, `ahead_once` as far
        as they are not tried again where the agent dies."""
        told = [KEEP_S, slots or free, CLAIM_AT_MOST, ahead, ahead_once, *queues]
        runs, lots, works, records, held_back = self._redis.run(
            "claim",
            [
                keys.LEASES,
                keys.agent_runs(agent),
                keys.RQ_SUSPENDED,
                *(keys.rq_queue(queue) for queue in queues),
            ],
            [agent, host, LEASE_MS, free, *told],
        )
        known = [self._work(work) for work in works]
        return Claimed(runs=_claims(runs, lots, known, records), held_back=bool(held_back))

    def _work(self, told: list[Any]) -> Work:
        """The same object for the same work, so that what is made of it can be kept."""
        key = tuple(told)
        work = self._works.get(key)
        if work is None:
            if len(self._works) >= WORKS_AT_MOST:
                self._works.clear()
            work = self._works[key] = _work(*told)
        return work

    def begin(self, agent: str, begun: Sequence[tuple[str, int, int]]) -> None:
        """Tell of reserved runs that they have begun, and go on: id, attempt, moment (ms)."""
        self._redis.run("begin", [], [agent, packed(begun)])

    def give_back(self, agent: str, leases: Sequence[str]) -> None:
        """Put reserved runs that will not be begun back to the front of their queues."""
        self._redis.run("give_back", [], [agent, KEEP_S, rq.STOPPED_EARLY, *leases])

    def of(self, agent: str) -> list[str]:
        """The leases of an agent, the oldest first; those of one claim are in any order."""
        found = self._redis.command("ZRANGE", keys.agent_runs(agent), 0, -1)
        return [lease.decode("utf-8", "replace") for lease in found]

    def wait(self, queues: Sequence[str], wait_s: float) -> bool:
        """Wait until one of the queues' bells rings, for at most `wait_s` seconds."""
        with self._redis.guard():
            return bool(
                self._redis.client.blpop([keys.bell(queue) for queue in queues], timeout=wait_s)
            )

    def any_waits(self, queues: Sequence[str]) -> bool:
        """Whether anything is in one of the queues."""
        return bool(self._redis.command("EXISTS", *(keys.rq_queue(queue) for queue in queues)))

    def pass_on(self, queues: Sequence[str]) -> bool:
        """Wake another agent in our place; False where nothing waits that others serve too."""
        return bool(self._redis.run("pass", [keys.rq_queue(queue) for queue in queues], queues))

    def ring(self, queue: str) -> None:
        """Wake whoever waits at the queue."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline()
            pipeline.rpush(keys.bell(queue), "1")
            pipeline.expire(keys.bell(queue), 60)
            pipeline.execute()

    def finish(self, agent: str, finishes: Sequence[Finish]) -> list[bool]:
        """Report ended attempts, one script for all. False for one that is not ours any more."""
        return self.report(agent, [report_of(end) for end in finishes])

    def report(self, agent: str, reports: Sequence[Report]) -> list[bool]:
        """The same of reports that were kept; `agent` had the attempts."""
        stale = self._redis.run(
            "finish",
            [keys.LEASES, keys.rq_worker(agent)],
            [agent, KEEP_S, *map(packed, works_and_ends(reports))],
        )
        done = [True] * len(reports)
        for number in stale:
            done[number - 1] = False
        return done

    def reclaim(self, limit: int = 100, server: str = "") -> Reclaimed:
        """Give up the attempts whose leases are over; what their jobs say is tried again. Where a
        `server` is named, none where another one answers by now."""
        now = self._redis.clock.now_ms()
        members = self._redis.command("ZRANGEBYSCORE", keys.LEASES, "-inf", now, "LIMIT", 0, limit)
        if not members:
            return Reclaimed()
        attempts = [_attempt(member) for member in members]
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for run, _ in attempts:
                pipeline.hmget(keys.rq_job(run), "options", "refused")
            found = pipeline.execute()
        told = [
            [member, _lost_retry_in(text(options) or "{}", attempt - len((refused or b"").split()))]
            for member, (_, attempt), (options, refused) in zip(
                members, attempts, found, strict=True
            )
        ]
        lost, again, poisoned = self._redis.run(
            "reclaim",
            [keys.LEASES],
            [packed(told), KEEP_S, _LOST, server, rq.STOPPED_EARLY],
        )
        return Reclaimed(
            lost=tuple(id.decode() for id in lost),
            again=tuple(id.decode() for id in again),
            poisoned=tuple(id.decode() for id in poisoned),
        )

    def promote(self, limit: int = 200) -> tuple[int, float | None]:
        """Put the runs whose next attempt is due into their queues; how many, and in how many
        seconds the next one is due."""
        moved, next_ms = self._redis.run("promote", [keys.DELAYED, keys.RQ_QUEUES], [limit])
        return int(moved), None if next_ms < 0 else next_ms / 1000

    def miss(self, limit: int = 200) -> list[str]:
        """End the runs that were not started in time; tells their ids."""
        missed = self._redis.run("miss", [keys.EXPIRING], [limit, KEEP_S])
        return [id.decode() for id in missed]

    def stray(self, limit: int = 100, server: str = "") -> tuple[list[str], list[str]]:
        """Look at what waits for single hosts: the ids of the runs that went to others, and of
        those that were missed since their host takes none. Where a `server` is named, none where
        another one answers by now."""
        moved, missed = self._redis.run(
            "stray", [keys.RQ_QUEUES, keys.AGENTS], [limit, KEEP_S, server]
        )
        return [id.decode() for id in moved], [id.decode() for id in missed]

    def server(self) -> str:
        """The identity of the running Redis server; it changes with a restart or a failover."""
        with self._redis.guard():
            info: Any = self._redis.client.info("server")
        return str(info["run_id"])


def _attempt(member: bytes) -> tuple[str, int]:
    """The run and the number of the attempt that a lease stands for."""
    run, _, number = member.split(b" ")[0].decode("utf-8", "replace").rpartition(":")
    return run, int(number) if number.isdecimal() else 0


def _lost_retry_in(options: str, attempt: int) -> int | bool:
    """In how many ms a lost attempt is tried again; False where it is not."""
    wait_s = EndPolicy.read(options).retry_in_s(Outcome(state=RunState.LOST), attempt)
    return False if wait_s is None else _ms(wait_s)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _work(
    job: bytes,
    queue: bytes,
    data: bytes,
    options: bytes,
    trigger: bytes,
    timeout: bytes,
    limits: bytes,
    weight: int,
) -> Work:
    return Work(
        job=text(job),
        queue=queue.decode("utf-8", "replace"),
        data=data,
        options=options.decode("utf-8", "replace"),
        trigger=trigger.decode("utf-8", "replace"),
        timeout=text(timeout),
        limits=limits.decode(),
        weight=weight,
    )


def _claims(
    runs: Sequence[Any],
    lots: Sequence[Sequence[Any]],
    works: Sequence[Work],
    records: bytes,
) -> list[Claim]:
    """Claims, of ids and the numbers of their lots in turn."""
    told = [
        (attempt, works[work - 1], text(fire_at), text(term), refusals, bool(reserved), plain)
        for attempt, work, fire_at, term, refusals, reserved, plain in lots
    ]
    record_of = iter(unpacked(records) if records else ())
    claims = []
    for at in range(0, len(runs), 2):
        attempt, work, fire_at, term, refusals, reserved, plain = told[runs[at + 1] - 1]
        claims.append(
            Claim(
                id=runs[at].decode("utf-8", "replace"),
                attempt=attempt,
                work=work,
                fire_at=fire_at,
                term=term,
                refusals=refusals,
                reserved=reserved,
                record=next(record_of) if plain else _NO_RECORD,
            )
        )
    return claims
