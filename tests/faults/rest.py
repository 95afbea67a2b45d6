"""What Redis may hold of a fleet where nothing waits: the tables of what runs name what runs, and
no key outlives what it belongs to."""

import re
from collections.abc import Callable, Iterator
from math import inf

from jober.store import Store, keys

# Tables of attempts, and how an attempt stands in them.
_OF_ATTEMPTS = (
    re.compile(r"jober:slots:.+"),
    re.compile(r"jober:limit:[^:]+"),
    re.compile(r"jober:agent:[^:]+:runs"),
    re.compile(r"rq:wip:.+"),
)
# Tables of runs that go on.
_OF_LIVE_RUNS = (
    re.compile(r"jober:active:.+"),
    re.compile(r"jober:parked:.+"),
    re.compile(r"jober:limit:[^:]+:parked"),
    re.compile(r"jober:delayed|jober:expiring"),
    re.compile(r"rq:queue:.+"),
)
# Keys that belong to a run, a job, or an agent.
_OF_A_RUN = re.compile(r"(?:rq:results:|jober:attempts:|jober:out:)([^:]+)(?::log)?")
_OF_A_JOB = re.compile(
    r"jober:(?:job|runs|former|ledger|service|slots|parked|active|failing):([^@:]+)(?:@.+)?"
)
# Lists of jobs: by tag, by role, those that are paused.
_OF_JOBS = re.compile(r"jober:jobs:.+")
_OF_AN_AGENT = re.compile(r"(?:jober:agent:|rq:worker:)([^:]+)(?::runs)?")
_OTHERS = re.compile(
    r"jober:(schema|leader|term|wake|jobs|due|waiting|services|calendars|calendars:revision|runs|overfull"
    r"|leases|limits|parked|delayed|expiring|agents|cordoned|roles|events:log"
    r"|notices|calendar:.+:jobs|limit:.+|bell:.+|reply:.+)"
    r"|rq:(job:.+|queues|queue:.+|wip:.+|finished:.+|failed:.+|canceled:.+|workers|workers:.+)"
)
# Where an agent or a key is about to go, it goes within so long at the most.
_ABOUT_TO_GO_S = 600


def unrest(store: Store, *, may_forget: bool = False) -> list[str]:
    """What is held, or left over, that should not be. `may_forget`: where a Redis has lost its last
    second, what belongs to a run of that time need only go some day."""
    return list(_Rest(store, may_forget=may_forget).told())


class _Rest:
    def __init__(self, store: Store, *, may_forget: bool) -> None:
        self._may_forget = may_forget
        self._command = store.connection.command
        self._names = sorted(key.decode() for key in store.connection.client.scan_iter(count=1000))
        self._jobs = self._members(keys.JOBS)
        self._agents = self._members(keys.AGENTS)
        self._state: dict[str, str] = {}

    def told(self) -> Iterator[str]:
        leases = self._members(keys.LEASES)
        leased = {lease.split(" ")[0] for lease in leases}
        for lease in leased:
            if self._state_of(lease.rpartition(":")[0]) != "running":
                yield f"{keys.LEASES} has {lease}, which does not run"
        running = {
            f"{name.removeprefix('rq:job:')}:{self._field(name, 'attempt')}"
            for name in self._names
            if name.startswith("rq:job:") and self._state_of(name[7:]) == "running"
        }
        for lease in running - leased:
            yield f"{lease} runs, and has no lease"
        if waiting := self._command("XLEN", keys.NOTICES) + self._command("ZCARD", keys.DELIVERIES):
            yield f"{waiting} messages have not been delivered"
        for name in self._names:
            yield from self._about(name, running)
        for key in (keys.RQ_WORKERS, *self._named("rq:workers:")):
            for worker in self._members(key):
                if worker.removeprefix("rq:worker:") not in self._agents:
                    yield f"{key} has {worker}, which is no agent"

    def _about(self, name: str, running: set[str]) -> Iterator[str]:
        if any(table.fullmatch(name) for table in _OF_ATTEMPTS):
            for attempt in self._members(name) - running:
                yield f"{name} has {attempt}, which does not run"
        elif any(table.fullmatch(name) for table in _OF_LIVE_RUNS):
            for run in self._members(name):
                if self._state_of(run) not in ("queued", "parked", "delayed", "running"):
                    yield f"{name} has {run}, which does not go on"
        if _OF_JOBS.fullmatch(name):
            for job in self._members(name) - self._jobs:
                yield f"{name} has {job}, which is no job"
            return
        for pattern, exists in self._owners():
            if owned := pattern.fullmatch(name):
                if not exists(owned[1]) and not self._goes_soon(name):
                    yield f"{name} belongs to nothing"
                return
        if not _OTHERS.fullmatch(name):
            yield f"{name} is a key that nobody knows"

    def _owners(self) -> tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]:
        return (
            (_OF_A_RUN, lambda run: bool(self._state_of(run))),
            (_OF_A_JOB, lambda job: job in self._jobs),
            (_OF_AN_AGENT, lambda agent: agent in self._agents),
        )

    def _goes_soon(self, name: str) -> bool:
        left_s = int(self._command("TTL", name))
        at_most = inf if self._may_forget else _ABOUT_TO_GO_S
        return left_s == -2 or 0 <= left_s <= at_most

    def _named(self, prefix: str) -> list[str]:
        return [name for name in self._names if name.startswith(prefix)]

    def _state_of(self, run: str) -> str:
        if run not in self._state:
            self._state[run] = self._field(keys.rq_job(run), "state")
        return self._state[run]

    def _field(self, key: str, name: str) -> str:
        return (self._command("HGET", key, name) or b"").decode()

    def _members(self, key: str) -> set[str]:
        """What a set, a sorted set or a list has in it."""
        match self._command("TYPE", key).decode():
            case "set":
                found = self._command("SMEMBERS", key)
            case "zset":
                found = self._command("ZRANGE", key, 0, -1)
            case "list":
                found = self._command("LRANGE", key, 0, -1)
            case _:
                found = []
        return {member.decode() for member in found}
