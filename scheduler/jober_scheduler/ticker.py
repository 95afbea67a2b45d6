"""The leader's beat: sleep until something is due, decide, fire.

It looks a little ahead, so that at the due moment the definitions are at hand and one round trip
is left to do. A changed definition, or an agent that joins, rings `jober:wake` and is looked at
at once. Nothing here is state that must survive: cursor and due moments are in Redis.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence

from jober.errors import DefinitionError, RedisUnavailable
from jober.fire import FirePlan
from jober.job import Job
from jober.store import Store
from jober.store.jobs import DueJob
from jober_scheduler.elector import Elector
from jober_scheduler.planner import Roster, plan

log = logging.getLogger(__name__)

LOOK_AHEAD_MS = 1_000
# How many due jobs are read at once, and how many a FIRE carries (about 5 ms of Redis's time).
READ = 2_000
BATCH = 100
ROSTER_MS = 1_000
CACHED_DEFINITIONS = 20_000
RETRY_S = 0.2
# A job that cannot be planned is looked at again after this.
SET_ASIDE_MS = 60_000


class Ticker:
    """Fires what is due while we lead."""

    def __init__(self, store: Store, elector: Elector) -> None:
        self._store = store
        self._elector = elector
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._definitions: OrderedDict[str, tuple[int, Job]] = OrderedDict()
        self._roster = Roster(roles_of=())
        self._roster_until_ms = 0
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

    def _listen(self) -> None:
        """Hear the wake-up list while we lead; a standby must not take its tokens."""
        while not self._stop.is_set():
            if self._elector.token() is None and self._elector.wait_for_lead(1.0) is None:
                continue
            try:
                if self._store.jobs.wait_for_change(1.0):
                    self._roster_until_ms = 0
                    self._woken.set()
            except RedisUnavailable:
                self._stop.wait(RETRY_S)

    def _beat(self, token: str) -> None:
        """Read what is due soon; fire what is due; sleep until the first that will be."""
        self._woken.clear()
        clock = self._store.clock
        now = clock.now_ms()
        coming = self._store.jobs.due(now + LOOK_AHEAD_MS, READ)
        self._learn(coming)
        if not coming:
            self._woken.wait(LOOK_AHEAD_MS / 1000 / 2)
            return
        wait_s = clock.seconds_until(coming[0].due_ms)
        if wait_s > 0:
            if self._woken.wait(wait_s):
                return
            while (rest := clock.seconds_until(coming[0].due_ms)) > 0:
                self._stop.wait(rest)
        now = max(clock.now_ms(), coming[0].due_ms)
        self._fire(token, [job for job in coming if job.due_ms <= now], now)

    def _learn(self, jobs: Sequence[DueJob]) -> None:
        """Have the definition of each at hand, at the revision that is due."""
        known = self._definitions
        lacking = [
            job.name for job in jobs if job.name not in known or known[job.name][0] != job.revision
        ]
        for start in range(0, len(lacking), 500):
            for name, found in self._read_definitions(lacking[start : start + 500]).items():
                known[name] = found
                known.move_to_end(name)
        while len(known) > max(CACHED_DEFINITIONS, len(jobs)):
            known.popitem(last=False)

    def _read_definitions(self, names: Sequence[str]) -> dict[str, tuple[int, Job]]:
        try:
            return self._store.jobs.definitions(names)
        except DefinitionError:
            # One of them cannot be read (written by hand, or by a later version): find it.
            found: dict[str, tuple[int, Job]] = {}
            for name in names:
                try:
                    found |= self._store.jobs.definitions([name])
                except DefinitionError as error:
                    log.error("job %s is not fired, its definition is invalid: %s", name, error)
            return found

    def _fire(self, token: str, due: Sequence[DueJob], now_ms: int) -> None:
        for start in range(0, len(due), BATCH):
            if self._elector.token() != token:
                return
            plans = [
                found for job in due[start : start + BATCH] if (found := self._plan(job, now_ms))
            ]
            if not plans:
                # What is due cannot be planned; do not spin on it.
                self._stop.wait(RETRY_S)
                continue
            reply = self._store.fires.fire(token, plans)
            if reply.fenced:
                log.warning("fenced: another node leads by now")
                return
            for planned, result in zip(plans, reply.results, strict=True):
                if result == "stale":
                    self._definitions.pop(planned.name, None)
                elif result == "early":
                    self._stop.wait(0.005)

    def _plan(self, job: DueJob, now_ms: int) -> FirePlan | None:
        known = self._definitions.get(job.name)
        if known is None or known[0] != job.revision:
            return None
        roster = self._live(now_ms)
        try:
            return self._decide(known[1], job, now_ms, roster)
        except Exception:
            # Whatever is wrong with one job must not keep the others from firing.
            log.exception("job %s is not fired; looking at it again in a minute", job.name)
            return FirePlan(
                name=job.name,
                revision=job.revision,
                cursor_ms=job.cursor_ms,
                next_ms=now_ms + SET_ASIDE_MS,
            )

    def _decide(self, definition: Job, job: DueJob, now_ms: int, roster: Roster) -> FirePlan:
        return plan(
            definition,
            revision=job.revision,
            cursor_ms=job.cursor_ms,
            floor_ms=job.floor_ms,
            anchor_ms=job.anchor_ms,
            now_ms=now_ms,
            roster=roster,
        )

    def _live(self, now_ms: int) -> Roster:
        """Who is live, as of at most a second ago; at once when an agent has joined."""
        if now_ms >= self._roster_until_ms:
            self._roster_until_ms = now_ms + ROSTER_MS
            self._roster = Roster.of(self._store.agents.live())
        return self._roster
