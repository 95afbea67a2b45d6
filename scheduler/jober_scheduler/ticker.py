"""The leader's beat: sleep until something is due, decide, fire.

It looks a little ahead, so that at the due moment everything is decided and only has to be carried
out: one round trip for up to 200 jobs. A changed definition, or an agent that joins, rings
`jober:wake` and is looked at at once. Nothing here is state that must survive: cursors and due
moments are in Redis.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from jober.errors import JoberError, RedisUnavailable
from jober.failpoint import failpoint
from jober.fire import Calendars, FirePlan, FirePolicy
from jober.logs import about_run
from jober.pace import paced_ms
from jober.placement import Roster
from jober.store import Store
from jober.store.due_job import DueJob
from jober_scheduler.chore import AFTER_A_MISTAKE_S
from jober_scheduler.elector import Elector
from jober_scheduler.orders import Orders
from jober_scheduler.planner import JobState, plan

log = logging.getLogger(__name__)

LOOK_AHEAD_MS = 1_000
# How many due jobs are read at once, and how many a FIRE carries (about 5 ms of Redis's time).
READ = 20_000
WAKE_BATCH = 1_000
BATCH = 200
ROSTER_S = 1.0
# After a restart or a failover of Redis, agents have so long to tell that they are there.
SETTLE_S = paced_ms(5_000) / 1000
SETTLE_LOOK_S = 0.1
RETRY_S = 0.2
EARLY_S = 0.005
# A job that cannot be planned is looked at again after this.
SET_ASIDE_MS = 60_000


class Ticker:
    """Fires what is due while we lead; `on_fired` are told what was carried out, and when (ms)."""

    def __init__(self, store: Store, elector: Elector) -> None:
        self._store = store
        self._elector = elector
        self.on_fired: list[Callable[[Sequence[FirePlan], int], None]] = []
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._roster = Roster(roles_of=())
        # How many runs went to each host since the roster was read.
        self._sent: Counter[str] = Counter()
        # The Redis that it was read from, and until when its agents may be about to tell of them.
        self._server = ("", 0)
        self._settled_at = 0.0
        self._is_settling = False
        self._calendars = Calendars(-1, {})
        self._orders = Orders(store)
        # These are of the monotonic clock, which nobody sets.
        self._roster_until = 0.0
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._ear = threading.Thread(target=self._listen, name="wake", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ear.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stop.set()
        self._woken.set()
        self._thread.join(timeout=10)

    def close(self) -> None:
        """After `stop`: wait for the last look at the wake-up list, which takes up to a second."""
        self._ear.join(timeout=10)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            token = self._elector.token() or self._elector.wait_for_lead(RETRY_S)
            if token is None:
                continue
            try:
                self._beat(token)
            except RedisUnavailable as error:
                log.warning("cannot fire: %s", error)
                self._stop.wait(RETRY_S)
            except Exception:
                # Whatever somebody has written into Redis must not end it for all jobs.
                log.exception("a beat has failed, and the next one comes")
                self._stop.wait(AFTER_A_MISTAKE_S)

    def _listen(self) -> None:
        """Hear the wake-up list while we lead; a standby must not take its tokens."""
        while not self._stop.is_set():
            if self._elector.token() is None and self._elector.wait_for_lead(1.0) is None:
                continue
            try:
                if self._store.jobs.wait_for_change(1.0):
                    failpoint("leader.heard")
                    self._roster_until = 0.0
                    self._woken.set()
            except RedisUnavailable:
                self._stop.wait(RETRY_S)

    def _beat(self, token: str) -> None:
        """Read what is due soon; decide; sleep until the first of it is due; carry it out."""
        self._woken.clear()
        clock = self._store.clock
        now = clock.now_ms()
        roster = self._live()
        if self._is_settling:
            self._stop.wait(SETTLE_LOOK_S)
            return
        revision, coming = self._store.jobs.due(now + LOOK_AHEAD_MS, READ)
        if revision != self._calendars.revision:
            self._calendars = Calendars(revision, self._store.calendars.all())
        if not coming:
            self._woken.wait(LOOK_AHEAD_MS / 1000 / 2)
            return
        failpoint("leader.read")
        moment = max(now, coming[0].due_ms)
        sent = Counter(self._sent)
        plans = [self._plan(job, moment, roster, sent) for job in coming if job.due_ms <= moment]
        plans = self._orders.signed(plans, {job.name: job for job in coming}, token)
        chunks = [plans[start : start + BATCH] for start in range(0, len(plans), BATCH)]
        batches = [self._store.fires.pack(chunk) for chunk in chunks]
        failpoint("leader.decided")
        wait_s = clock.seconds_until(moment)
        if wait_s > 0:
            if self._woken.wait(min(wait_s, LOOK_AHEAD_MS / 1000)):
                return
            while (rest := clock.seconds_until(moment)) > 0:
                # Not due yet: the clock was set back while we slept, or before we did.
                if rest > EARLY_S:
                    return
                self._stop.wait(rest)
        if self._roster is roster:
            self._sent = sent
        for chunk, batch in zip(chunks, batches, strict=True):
            if self._elector.token() != token or not self._fire(token, chunk, batch):
                return
            for tell in self.on_fired:
                tell(chunk, clock.now_ms())
            if log.isEnabledFor(logging.DEBUG):
                for job, run in ((one.name, run) for one in chunk for run in one.runs()):
                    log.debug("fired %s", run.id, extra=about_run(run.id, job))

    def _fire(self, token: str, plans: Sequence[FirePlan], packed: bytes) -> bool:
        """Carry out; False where we lead no more."""
        failpoint("leader.before_fire")
        reply = self._store.fires.fire(token, packed)
        failpoint("leader.fired")
        if reply.fenced:
            log.warning("fenced: another node leads by now")
            return False
        self._orders.fired(plans, reply.results)
        if "early" in reply.results:
            self._stop.wait(EARLY_S)
        return True

    def _plan(self, job: DueJob, now_ms: int, roster: Roster, sent: Counter[str]) -> FirePlan:
        """The plan, with the roster as it is once `sent` has arrived; adds what it sends itself."""
        try:
            policy = FirePolicy.read(job.name, job.schedule, job.policy, self._calendars)
            state = JobState(
                name=job.name,
                revision=job.revision,
                cursor_ms=job.cursor_ms,
                floor_ms=job.floor_ms,
                anchor_ms=job.anchor_ms,
                fires=job.fires,
                placed=job.placed,
                told_ms=job.told_ms,
            )
            chooses = policy.prefer != "least" or isinstance(policy.on, int)
            if not chooses:
                return plan(policy, state, now_ms, roster)
            told = plan(policy, state, now_ms, roster.with_more(sent))
            sent.update(run.host for fire in told.fires for run in fire.runs if run.host)
            return told
        except Exception as error:
            # Whatever is wrong with one job must not keep the others from firing: its definition
            # was written by hand or by a later version, or there is a mistake of ours.
            expected = isinstance(error, JoberError)
            log.error(
                "job %s is not fired, looking at it again in a minute: %s",
                job.name,
                error,
                exc_info=not expected,
                extra={"job": job.name},
            )
            return FirePlan(
                name=job.name,
                revision=job.revision,
                cursor_ms=job.cursor_ms,
                next_ms=now_ms + SET_ASIDE_MS,
            )

    def _live(self) -> Roster:
        """Who is live, as of at most a second ago; at once when an agent has joined. Jobs that wait
        for a host are planned anew when this changes."""
        now = self._store.clock.monotonic()
        if now >= self._roster_until:
            self._settle(now)
            self._roster_until = now + (SETTLE_LOOK_S if self._is_settling else ROSTER_S)
            known, self._roster = self._roster, Roster.of(self._store.agents.live())
            self._sent.clear()
            if self._roster != known:
                while self._store.fires.wake_waiting(WAKE_BATCH) == WAKE_BATCH:
                    pass
        return self._roster

    def _settle(self, now: float) -> None:
        """Agents could not renew while Redis was away, or its clock was set. Before they have, a
        fire would be made on those hosts alone that were the first to be back."""
        server = (self._store.leases.server(), self._store.clock.leaps())
        if server != self._server:
            self._server = server
            self._settled_at = now + SETTLE_S
        self._is_settling = now < self._settled_at and self._store.agents.any_silent()
