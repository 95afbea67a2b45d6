"""What is to happen to a job that is due: a pure function of its definition and a moment.

Fires are decided on in order, from the cursor and never from "now", so a new leader goes on where
the last one stopped. A fire that is no older than a change of leaders takes is late, and runs;
an older one was missed, and the job's `catch_up` says what becomes of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from jober import roles
from jober.agent_info import AgentInfo
from jober.fire import FirePlan, FirePolicy, PlannedFire, PlannedRun
from jober.ids import fired_run_id
from jober.ledger import Decision
from jober.schedule import Schedule

# The lease of a leader, a standby's look, and some room: up to this age a fire is merely late.
LATE_MS = 10_000
# How long a fire waits for a host with its role, such as one that restarts.
NO_HOST_MS = 5_000
# When to look again at a fire that waits.
LOOK_AGAIN_MS = 250
# One plan decides on so many fires at the most; the rest are due again at once.
FIRES_PER_PLAN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The live hosts that take runs, and the roles of each."""

    roles_of: tuple[tuple[str, frozenset[str]], ...]
    _hosts: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, agents: Iterable[AgentInfo]) -> "Roster":
        """Two agents on one host are one host, with the roles of both."""
        found: dict[str, frozenset[str]] = {}
        for agent in agents:
            if agent.state == "up":
                found[agent.host] = found.get(agent.host, frozenset()) | agent.roles
        return cls(roles_of=tuple(sorted(found.items())))

    def hosts_for(self, queue: str) -> tuple[str, ...]:
        """The hosts that serve a role expression."""
        known = self._hosts.get(queue)
        if known is None:
            known = tuple(host for host, has in self.roles_of if roles.matches(queue, has))
            self._hosts[queue] = known
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """Where a job stands. Moments are milliseconds since the epoch; see JobRecord."""

    name: str
    revision: int
    cursor_ms: int
    floor_ms: int
    anchor_ms: int
    fires: int = 0


def plan(policy: FirePolicy, job: JobState, now_ms: int, roster: Roster) -> FirePlan:
    """Decide on every fire of the job that is due at `now_ms`, and when to look next."""
    return _Planning(policy, job, now_ms, roster).plan()


class _Planning:
    """One call of `plan`: what was decided so far, and up to where."""

    def __init__(self, policy: FirePolicy, job: JobState, now_ms: int, roster: Roster) -> None:
        self._policy = policy
        self._job = job
        self._now_ms = now_ms
        self._hosts = roster.hosts_for(policy.queue)
        self._decided: list[PlannedFire] = []
        self._cursor = job.cursor_ms
        left = None if policy.max_fires is None else policy.max_fires - job.fires
        self._fires_left = left

    def plan(self) -> FirePlan:
        schedule = self._policy.schedule
        if schedule is None or self._is_used_up():
            return self._result(None)
        anchor = self._job.anchor_ms
        after = max(self._cursor, self._job.floor_ms)
        due = schedule.next_after_ms(after, anchor)
        if due is not None and due <= self._now_ms - LATE_MS:
            self._catch_up(schedule, after, due)
            due = None if self._is_used_up() else schedule.next_after_ms(self._cursor, anchor)
        while due is not None and due <= self._now_ms and len(self._decided) < FIRES_PER_PLAN:
            if not self._hosts and self._now_ms - due < NO_HOST_MS:
                # A host that restarts is back soon.
                return self._result(self._now_ms + LOOK_AGAIN_MS)
            self._fire(due)
            due = None if self._is_used_up() else schedule.next_after_ms(due, anchor)
        return self._result(due)

    def _result(self, next_ms: int | None) -> FirePlan:
        return FirePlan(
            name=self._job.name,
            revision=self._job.revision,
            cursor_ms=self._cursor,
            next_ms=next_ms,
            fires=tuple(self._decided),
        )

    def _is_used_up(self) -> bool:
        return self._fires_left is not None and self._fires_left <= 0

    def _fire(self, at_ms: int) -> None:
        """The fire makes its runs, or was missed since no live host has the role."""
        self._cursor = at_ms
        name = self._job.name
        if not self._hosts:
            self._miss(at_ms, at_ms, 1, f"no live host for role {self._policy.roles}")
            return
        if self._policy.on == "every":
            runs = tuple(
                PlannedRun(id=fired_run_id(name, at_ms, host), host=host) for host in self._hosts
            )
        else:
            runs = (PlannedRun(id=fired_run_id(name, at_ms)),)
        self._decided.append(PlannedFire(at_ms=at_ms, decision=Decision.FIRED, runs=runs))
        if self._fires_left is not None:
            self._fires_left -= 1

    def _miss(self, first_ms: int, last_ms: int, count: int, reason: str) -> None:
        self._decided.append(
            PlannedFire(
                at_ms=last_ms,
                decision=Decision.MISSED,
                reason=reason,
                first_ms=first_ms,
                count=count,
            )
        )

    def _catch_up(self, schedule: Schedule, after_ms: int, first: int) -> None:
        """Decide on the fires that are older than LATE_MS, the first of which is `first`: the
        newest ones that the policy wants run, all before them are told as missed."""
        policy, anchor = self._policy, self._job.anchor_ms
        newest = schedule.last_between_ms(after_ms, self._now_ms - LATE_MS, anchor)
        assert newest is not None, "the first is one of them"
        wanted: list[int] = []
        if policy.catch_up == "all":
            wanted = _newest(schedule, after_ms, newest, anchor, policy.catch_up_limit)
        elif policy.catch_up == "latest":
            fresher = schedule.next_after_ms(newest, anchor)
            if fresher is None or fresher > self._now_ms:
                wanted = [newest]
        why = f"over {LATE_MS // 1000} s late, and catch_up is '{policy.catch_up}'"
        window = policy.catch_up_window_ms
        if window is not None and wanted and wanted[0] < self._now_ms - window:
            wanted = [at for at in wanted if at >= self._now_ms - window]
            why = f"older than the catch_up_window of {window / 1000:g} s"
        before = wanted[0] if wanted else newest + 1
        if first < before:
            last = schedule.last_between_ms(after_ms, before - 1, anchor)
            assert last is not None, "the first is before it"
            count = schedule.count_between_ms(after_ms, last, anchor)
            self._miss(first, last, count, why)
        for at in wanted:
            if not self._is_used_up():
                self._fire(at)
        self._cursor = newest


def _newest(
    schedule: Schedule, after_ms: int, newest: int, anchor_ms: int, limit: int
) -> list[int]:
    """The newest `limit` fires up to `newest`, in order."""
    found = [newest]
    while len(found) < limit:
        earlier = schedule.last_between_ms(after_ms, found[-1] - 1, anchor_ms)
        if earlier is None:
            break
        found.append(earlier)
    return found[::-1]
