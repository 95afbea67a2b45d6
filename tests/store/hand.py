"""Short ways to put a store into a state, through its own calls."""

import json

from jober.agent_info import AgentInfo
from jober.fire import FirePlan, PlannedFire, PlannedRun
from jober.ids import fired_run_id
from jober.job import Job
from jober.ledger import Decision
from jober.run import Claim, Outcome, RunState
from jober.schema import READ_UP_TO
from jober.store import Store, keys
from jober.store.changes import Change
from jober.store.report import Finish
from jober.store.runs import ManualRun
from jober_scheduler.follower import Follower


class Hand:
    """Does by hand what a scheduler and agents do."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.token = store.leader.lead("node:1:aaaaaa", 60_000).token
        self.made = 0
        self._follower = Follower(store)

    def job(self, name: str = "job", **fields: object) -> Job:
        """Define a job; without more it is by hand, with role default."""
        job = Job.from_spec(name, {"command": "true", **fields})
        self.store.jobs.apply([Change(op="put", name=name, job=job)])
        return job

    def of_later_jober(self, name: str) -> None:
        """Make a job one that a later jober has written: nothing of it is as it is known here."""
        fields = ("schema", "spec", "policy", "schedule")
        later = (str(READ_UP_TO + 1), "later", json.dumps({"schema": READ_UP_TO + 1}), "later")
        for field, text in zip(fields, later, strict=True):
            self.store.connection.command("HSET", keys.job(name), field, text)

    def agent(self, id: str = "host1-aaaaaa", roles: tuple[str, ...] = ("default",)) -> str:
        """Register an agent; its host is what stands before the last dash."""
        host = id.rpartition("-")[0]
        info = AgentInfo(id=id, host=host, pid=1, roles=frozenset(roles), slots=10, version="0.1.0")
        self.store.agents.join(info, [f"@{host}", *roles])
        return id

    def run(self, name: str = "job", host: str | None = None) -> str:
        """A run by hand."""
        self.made += 1
        id = f"{name}-m{self.made}"
        self.store.runs.enqueue(name, [ManualRun(id=id, host=host)])
        return id

    def fire(self, name: str, at_ms: int, *hosts: str, revision: int | None = None) -> str:
        """Fire at a moment; what became of the plan, or `fenced`."""
        runs = tuple(
            PlannedRun(id=fired_run_id(name, at_ms, host), host=host) for host in hosts
        ) or (PlannedRun(id=fired_run_id(name, at_ms)),)
        plan = FirePlan(
            name=name,
            revision=revision or self.store.jobs.get(name).revision,
            cursor_ms=at_ms,
            next_ms=at_ms + 60_000,
            fires=(PlannedFire(at_ms=at_ms, decision=Decision.FIRED, runs=runs),),
        )
        reply = self.store.fires.fire(self.token, self.store.fires.pack([plan]))
        return "fenced" if reply.fenced else reply.results[0]

    def fire_now(self, name: str, *hosts: str) -> int:
        """Fire at the last full second, as if the job had been there before it; its moment."""
        at_ms = self.store.clock.now_ms() // 1000 * 1000
        self.store.connection.command("HSET", keys.job(name), "cursor", at_ms - 1000)
        assert self.fire(name, at_ms, *hosts) == "done"
        return at_ms

    def claim(self, agent: str = "host1-aaaaaa", n: int = 10, *queues: str) -> list[Claim]:
        host = agent.rpartition("-")[0]
        return self.store.leases.claim(agent, host, queues or (f"@{host}", "default"), n).runs

    def claim_one(self, run: str) -> Claim:
        """Claim what waits, which is this run."""
        (claim,) = self.claim()
        assert claim.id == run
        return claim

    def follow(self) -> None:
        """Have waiting runs go on and ends start what is after them, as far as they can now."""
        while self._follower.follow():
            pass

    def finish(
        self,
        claim: Claim,
        state: RunState = RunState.SUCCESS,
        agent: str = "host1-aaaaaa",
        began_ms: int | None = None,
        **outcome: object,
    ) -> bool:
        host = agent.rpartition("-")[0]
        ended = Outcome(state=state, **outcome)  # type: ignore[arg-type]
        finish = Finish(claim=claim, host=host, outcome=ended, began_ms=began_ms)
        return self.store.leases.finish(agent, [finish])[0]

    def put_off(
        self,
        claim: Claim,
        retry_in_s: float = 0,
        state: RunState = RunState.FAILED,
        agent: str = "host1-aaaaaa",
        began_ms: int | None = None,
        **outcome: object,
    ) -> bool:
        """Finish, to be tried again."""
        ended = Outcome(state=state, **outcome)  # type: ignore[arg-type]
        host = agent.rpartition("-")[0]
        finish = Finish(
            claim=claim, host=host, outcome=ended, retry_in_s=retry_in_s, began_ms=began_ms
        )
        return self.store.leases.finish(agent, [finish])[0]

    def overdue_binding(self, run: str) -> None:
        """As if the time was over that a run waits for its host."""
        self.store.connection.command("HSET", f"rq:job:{run}", "bound_until", 1)

    def renew(self, *leases: str, agent: str = "host1-aaaaaa") -> tuple[set[str], set[str]]:
        """Renew; the lost leases, and those to cancel."""
        reply = self.store.agents.renew(agent, leases, running=len(leases), load=0, state="up")
        return set(reply.lost), set(reply.cancel)

    def state(self, run: str) -> RunState:
        return self.store.runs.get(run).state

    def expire(self, lease: str) -> None:
        """As if the agent had been silent for longer than its lease."""
        self.store.connection.command("ZADD", "jober:leases", 1, self.lease_member(lease))

    def lease_member(self, lease: str) -> str:
        """The lease as it stands in Redis, with all that the attempt holds."""
        found = self.store.connection.command("ZRANGE", "jober:leases", 0, -1)
        (member,) = [m.decode() for m in found if m.decode().split(" ")[0] == lease]
        return str(member)

    def count(self, key: str) -> int:
        """How many members a set, sorted set, list or stream has."""
        kind = self.store.connection.command("TYPE", key)
        command = {b"zset": "ZCARD", b"set": "SCARD", b"list": "LLEN", b"stream": "XLEN"}
        return int(self.store.connection.command(command[kind], key)) if kind in command else 0

    def next_due_ms(self) -> int | None:
        """When the soonest job is due; None where none ever is."""
        found = self.store.connection.command("ZRANGE", keys.DUE, 0, 0, "WITHSCORES")
        return int(found[1]) if found else None

    def held(self, job: str = "job") -> dict[str, int]:
        """All that a running attempt holds, by key; empty when it has let go of everything."""
        names = (
            "jober:leases",
            f"jober:slots:{job}",
            f"jober:slots:{job}@host1",
            f"jober:active:{job}",
            f"jober:active:{job}@host1",
            f"jober:parked:{job}",
            "jober:agent:host1-aaaaaa:runs",
            "rq:wip:default",
            "rq:wip:@host1",
            "rq:queue:default",
            "rq:queue:@host1",
        )
        return {name: n for name in names if (n := self.count(name))}

    def left_of_workflows(self) -> set[str]:
        """The keys of workflows that are there."""
        known = ("needing", "needed", "ended", "kept", "linked")
        found = (key.decode() for key in self.store.connection.command("KEYS", "jober:*"))
        return {key for key in found if key.split(":")[1] in known}
