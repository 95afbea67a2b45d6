"""What is to happen to a job that is due: a pure function of its definition and a moment.

Fires are decided on in order, from the cursor and never from "now", so a new leader goes on where
the last one stopped. A fire that is no older than a change of leaders takes is late, and runs;
an older one was missed, and the job's `catch_up` says what becomes of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jober import roles
from jober.agent_info import AgentInfo
from jober.fire import FirePlan, PlannedFire, PlannedRun
from jober.ids import fired_run_id
from jober.job import Job
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
        return tuple(host for host, has in self.roles_of if roles.matches(queue, has))


def plan(
    job: Job,
    *,
    revision: int,
    cursor_ms: int,
    floor_ms: int,
    anchor_ms: int,
    now_ms: int,
    roster: Roster,
) -> FirePlan:
    """Decide on every fire of the job that is due at `now_ms`, and when to look next."""

    def result(cursor: int, next_ms: int | None, fires: Sequence[PlannedFire] = ()) -> FirePlan:
        return FirePlan(
            name=job.name, revision=revision, cursor_ms=cursor, next_ms=next_ms, fires=tuple(fires)
        )

    schedule = job.schedule
    if schedule is None:
        return result(cursor_ms, None)
    after = max(cursor_ms, floor_ms)
    first = schedule.next_after_ms(after, anchor_ms)
    if first is None or first > now_ms:
        return result(cursor_ms, first)

    late_from = now_ms - LATE_MS
    decided: list[PlannedFire] = []
    cursor, due = cursor_ms, first
    if first < late_from:
        missed, wanted, cursor = _catch_up(job, schedule, after, anchor_ms, late_from, now_ms)
        decided += missed
        decided += (_fire(job, at, roster) for at in wanted)
        following = schedule.next_after_ms(cursor, anchor_ms)
        if following is None:
            return result(cursor, None, decided)
        due = following
    while due <= now_ms and len(decided) < FIRES_PER_PLAN:
        fire = _fire(job, due, roster)
        if fire.decision is Decision.MISSED and now_ms - due < NO_HOST_MS:
            return result(cursor, now_ms + LOOK_AGAIN_MS, decided)
        decided.append(fire)
        cursor = due
        following = schedule.next_after_ms(due, anchor_ms)
        if following is None:
            return result(cursor, None, decided)
        due = following
    return result(cursor, due, decided)


def _fire(job: Job, at_ms: int, roster: Roster) -> PlannedFire:
    """The fire that makes its runs, or that was missed since no live host has the role."""
    hosts = roster.hosts_for(job.queue)
    if not hosts:
        wanted = " or ".join(job.roles) or "default"
        return PlannedFire(
            at_ms=at_ms,
            decision=Decision.MISSED,
            reason=f"no live host for role {wanted}",
        )
    if job.on == "every":
        runs = tuple(
            PlannedRun(id=fired_run_id(job.name, at_ms, host), host=host) for host in hosts
        )
    else:
        runs = (PlannedRun(id=fired_run_id(job.name, at_ms)),)
    return PlannedFire(at_ms=at_ms, decision=Decision.FIRED, runs=runs)


def _catch_up(
    job: Job, schedule: Schedule, after_ms: int, anchor_ms: int, late_from: int, now_ms: int
) -> tuple[list[PlannedFire], list[int], int]:
    """What becomes of the fires up to `late_from`, the first of which is due: those missed, the
    moments that are to run all the same, and the last of them all, which is the new cursor."""
    newest = schedule.last_between_ms(after_ms, late_from, anchor_ms)
    first = schedule.next_after_ms(after_ms, anchor_ms)
    assert newest is not None and first is not None
    wanted: list[int] = []
    if job.catch_up == "all":
        wanted = _newest(schedule, after_ms, newest, anchor_ms, job.catch_up_limit)
    elif job.catch_up == "latest":
        fresher = schedule.next_after_ms(newest, anchor_ms)
        if fresher is None or fresher > now_ms:
            wanted = [newest]
    before = wanted[0] if wanted else newest + 1
    missed = []
    if first < before:
        last_missed = schedule.last_between_ms(after_ms, before - 1, anchor_ms)
        assert last_missed is not None
        missed.append(
            PlannedFire(
                at_ms=last_missed,
                decision=Decision.MISSED,
                reason=f"over {LATE_MS // 1000} s late, and catch_up is '{job.catch_up}'",
                first_ms=first,
                count=schedule.count_between_ms(after_ms, last_missed, anchor_ms),
            )
        )
    return missed, wanted, newest


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
