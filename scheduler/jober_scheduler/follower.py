"""Runs that wait for runs of other jobs go on, and what the end of a run starts gets its run.

Every scheduler does this, leader or not. What is to be looked at is in Redis: the ends that nobody
has followed yet, and the runs that wait, with when to look at each. What is decided is carried out
where things are still as they were seen, so that two that look at once do no harm, and whoever is
killed between two steps leaves the next step to another.
"""

import logging

from jober.errors import JobNotFound, RedisUnavailable
from jober.failpoint import failpoint
from jober.ids import workflow_run_id
from jober.logs import about_run
from jober.placement import Roster, choose_one, place, placed
from jober.store import Store
from jober.store.runs import JobRuns, ManualRun
from jober.store.workflows import EndedRun, Found, Settlement
from jober.workflow import IN_CASE_MS, Verdict, decide
from jober_scheduler.chore import Chore
from jober_scheduler.results import Lacking, call_with_results

log = logging.getLogger(__name__)

# How long a look waits to be woken, at the most; and between two looks.
WAIT_S = 0.5
BETWEEN_S = 0.001
BATCH = 100


class Follower:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.chore = Chore("follower", BETWEEN_S, self._look)

    def _look(self) -> None:
        if not self.follow():
            self._store.workflows.wait(WAIT_S)

    def follow(self) -> bool:
        """One round; whether there was anything to do."""
        ends = self._store.workflows.ended(BATCH)
        if ends:
            failpoint("follower.before_follow")
            roster = self._roster(ends)
            starts = [(end, self._starts(end, roster)) for end in ends]
            made = self._store.workflows.follow(starts)
            failpoint("follower.followed")
            if made:
                log.info("%d runs were started by the ends of others", made)
        found = self._store.workflows.needing(BATCH)
        if found:
            now_ms = self._store.clock.now_ms()
            settlements = [self._settlement(one, now_ms) for one in found]
            failpoint("follower.before_settle")
            self._store.workflows.settle(settlements)
            failpoint("follower.settled")
        return bool(ends or found)

    def _settlement(self, found: Found, now_ms: int) -> Settlement:
        run = found.run
        try:
            verdict = decide(run, now_ms)
            if verdict.what == "skip":
                log.info(
                    "%s is skipped: %s", run.id, verdict.told, extra=about_run(run.id, run.job)
                )
            if verdict.what != "ready":
                return Settlement(found=found, verdict=verdict)
            try:
                call = call_with_results(self._store, found, verdict.settled)
            except Lacking as error:
                log.warning("%s cannot be run: %s", run.id, error, extra=about_run(run.id, run.job))
                return Settlement(found=found, verdict=verdict, lacks=str(error))
            if call is None:
                return Settlement(found=found, verdict=verdict)
            return Settlement(
                found=found,
                verdict=verdict,
                data=call.data,
                description=call.description,
                template=call.template,
            )
        except RedisUnavailable:
            raise
        except Exception as error:
            # Whatever is wrong with one must not keep the others from being looked at.
            told = "%s cannot be looked after, and is looked at again in a minute"
            log.exception(told, run.id, extra=about_run(run.id, run.job))
            told = f"{type(error).__name__} in the scheduler: {error}"
            verdict = Verdict(what="wait", told=told, again_in_ms=IN_CASE_MS)
            return Settlement(found=found, verdict=verdict)

    def _roster(self, ends: list[EndedRun]) -> Roster:
        """Who is live, read once for all that these ends start; nobody where they start nothing."""
        if not any(end.starts for end in ends):
            return Roster(roles_of=())
        return Roster.of(self._store.agents.live())

    def _starts(self, end: EndedRun, roster: Roster) -> list[JobRuns]:
        """The runs that an end starts."""
        found = []
        for name in end.starts:
            try:
                found.append(self._runs(name, end, roster))
            except JobNotFound:
                log.warning(
                    "%s would start %s, which is gone",
                    end.id,
                    name,
                    extra=about_run(end.id, end.job),
                )
        return found

    def _runs(self, name: str, end: EndedRun, roster: Roster) -> JobRuns:
        """A run of the job, or one on each of its hosts, as by hand; it takes the results of the
        run that started it."""
        record = self._store.jobs.get(name)
        job, now_ms = record.job, self._store.clock.now_ms()
        waits = job.waits
        hosts, use = roster.hosts_for(job.queue), roster.use_of
        seed = f"{name} {end.id}"
        needed = {end.job: [end.id]} if end.job in waits.jobs else {}

        def run(host: str | None, may_move: bool = False) -> ManualRun:
            return ManualRun(
                id=workflow_run_id(name, now_ms),
                host=host,
                may_move=may_move,
                needed=needed,
                after=end.id,
            )

        if job.on == "any":
            host = choose_one(hosts, job.prefer, use=use, before=record.placed, seed=seed)
            runs = [run(host, may_move=host is not None)]
        else:
            if isinstance(job.on, int):
                hosts = place(hosts, job.on, job.prefer, use=use, before=record.placed, seed=seed)
            runs = [run(host) for host in hosts]
        remembered: tuple[str, ...] = ()
        if job.prefer == "spread":
            remembered = placed(record.placed, [one.host for one in runs if one.host])
        return JobRuns(job=name, runs=runs, placed=remembered)
