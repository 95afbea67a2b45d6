"""What is to happen to a job that is due: a pure function of its definition and a moment.

Fires are decided on in order, from the cursor and never from "now", so a new leader goes on where
the last one stopped. A fire that is no older than a change of leaders takes is late, and runs;
an older one was missed, and the job's `catch_up` says what becomes of it.
"""

from dataclasses import dataclass

from jober.fire import FirePlan, FirePolicy, PlannedFire, PlannedRun
from jober.ids import fired_run_id
from jober.ledger import Decision
from jober.placement import Roster, choose_one, place, placed
from jober.schedule import Schedule

# The lease of a leader, a standby's look, and some room: up to this age a fire is merely late.
LATE_MS = 10_000
# How long a fire waits for a host with its role, such as one that restarts.
NO_HOST_MS = 5_000
# A range of missed fires is counted up to this.
COUNT_AT_MOST = 10_000
# One plan decides on so many fires at the most; the rest are due again at once.
FIRES_PER_PLAN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """Where a job stands. Moments are milliseconds since the epoch; see JobRecord."""

    name: str
    revision: int
    cursor_ms: int
    floor_ms: int
    anchor_ms: int
    fires: int = 0
    placed: tuple[str, ...] = ()
    told_ms: int = 0  # up to here, fires were told as missed for want of a host


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
        self._use = roster.use_of
        self._placed = job.placed
        self._decided: list[PlannedFire] = []
        self._cursor = job.cursor_ms
        left = None if policy.max_fires is None else policy.max_fires - job.fires
        self._fires_left = left

    def plan(self) -> FirePlan:
        schedule, job = self._policy.schedule, self._job
        if schedule is None or self._is_used_up():
            return self._result(None)
        after = max(self._cursor, job.floor_ms)
        if not self._hosts:
            return self._wait_for_hosts(schedule, max(after, job.told_ms))
        if self._policy.catch_up == "none" and job.told_ms > self._cursor:
            after = max(after, job.told_ms)
            self._cursor = job.told_ms
        late_until = max(self._now_ms - LATE_MS, min(job.told_ms, self._now_ms))
        due = schedule.next_after_ms(after, job.anchor_ms)
        if due is not None and due <= late_until:
            self._catch_up(schedule, after, late_until)
            due = self._following(schedule, self._cursor)
        while due is not None and due <= self._now_ms and len(self._decided) < FIRES_PER_PLAN:
            self._fire(due)
            due = self._following(schedule, due)
        return self._result(due)

    def _following(self, schedule: Schedule, after_ms: int) -> int | None:
        return None if self._is_used_up() else schedule.next_after_ms(after_ms, self._job.anchor_ms)

    def _wait_for_hosts(self, schedule: Schedule, after_ms: int) -> FirePlan:
        """No live host has the role. A host that restarts is back soon, so a fire waits a little;
        then it is told as missed. The cursor stays: when a host comes, `catch_up` says what
        becomes of all that it missed."""
        anchor = self._job.anchor_ms
        told = after_ms
        due = schedule.next_after_ms(after_ms, anchor)
        if due is not None and due <= self._now_ms - NO_HOST_MS:
            told = schedule.last_between_ms(after_ms, self._now_ms - NO_HOST_MS, anchor) or due
            count = schedule.count_between_ms(after_ms, told, anchor, COUNT_AT_MOST)
            self._miss(due, told, count, f"no live host for role {self._policy.roles}")
            due = schedule.next_after_ms(told, anchor)
        waits = due is not None and due <= self._now_ms
        if not waits and told <= max(self._cursor, self._job.floor_ms):
            return self._result(due)
        return self._result(due + NO_HOST_MS if due and waits else due, told)

    def _result(self, next_ms: int | None, told_ms: int | None = None) -> FirePlan:
        return FirePlan(
            name=self._job.name,
            revision=self._job.revision,
            cursor_ms=self._cursor,
            told_ms=told_ms,
            next_ms=next_ms,
            fires=tuple(self._decided),
            placed=self._placed if self._placed != self._job.placed else None,
        )

    def _is_used_up(self) -> bool:
        return self._fires_left is not None and self._fires_left <= 0

    def _fire(self, at_ms: int) -> None:
        """The fire makes its runs."""
        self._cursor = at_ms
        on, prefer = self._policy.on, self._policy.prefer
        if on == "any" and prefer == "least":
            runs: tuple[PlannedRun, ...] = (PlannedRun(id=fired_run_id(self._job.name, at_ms)),)
        else:
            runs = self._placed_runs(at_ms)
        self._decided.append(PlannedFire(at_ms=at_ms, decision=Decision.FIRED, runs=runs))
        if isinstance(on, int) and len(runs) < on:
            reason = f"on {len(runs)} of {on} hosts: no other live host for role "
            self._decided.append(
                PlannedFire(
                    at_ms=at_ms, decision=Decision.SHORT, reason=reason + self._policy.roles
                )
            )
        if self._fires_left is not None:
            self._fires_left -= 1

    def _placed_runs(self, at_ms: int) -> tuple[PlannedRun, ...]:
        """The runs of a fire on hosts that are chosen here."""
        name, on, prefer = self._job.name, self._policy.on, self._policy.prefer
        seed = f"{name} {at_ms}"
        before = self._placed
        hosts = self._hosts
        runs: tuple[PlannedRun, ...]
        if on == "any":
            first = choose_one(hosts, prefer, use=self._use, before=before, seed=seed)
            hosts = (first,) if first else ()
            id = fired_run_id(name, at_ms)
            runs = (PlannedRun(id=id, host=first, may_move=first is not None),)
        else:
            if isinstance(on, int):
                hosts = place(hosts, on, prefer, use=self._use, before=before, seed=seed)
            runs = tuple(
                PlannedRun(id=fired_run_id(name, at_ms, host), host=host) for host in hosts
            )
        if prefer == "spread":
            self._placed = placed(before, hosts)
        return runs

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

    def _catch_up(self, schedule: Schedule, after_ms: int, until_ms: int) -> None:
        """Decide on the fires up to `until_ms`, of which there are some: the newest that the policy
        wants run, all before them are told as missed, unless they have been."""
        policy, anchor = self._policy, self._job.anchor_ms
        newest = schedule.last_between_ms(after_ms, until_ms, anchor)
        assert newest is not None, "there are some"
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
        untold = max(after_ms, self._job.told_ms)
        first = schedule.next_after_ms(untold, anchor)
        if first is not None and first < before:
            last = schedule.last_between_ms(untold, before - 1, anchor) or first
            count = schedule.count_between_ms(untold, last, anchor, COUNT_AT_MOST)
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
