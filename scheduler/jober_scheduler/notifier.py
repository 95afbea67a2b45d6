"""Tells people what has become of jobs that notify, while we lead: decides, delivers messages.

The stream of notices, the messages that wait, and who has one are all in Redis, so a new leader
goes on where the last one stopped. What is taken is the leader's for a minute; where it dies in
between, the message is delivered again, under the same id. Each is sent in a thread of its own, so
that a receiver that hangs keeps no other waiting; those of a job to one receiver go one by one.
"""

import logging
import threading

from jober.errors import JoberError, JobNotFound, RedisUnavailable
from jober.failpoint import failpoint
from jober.job import Job
from jober.logs import about_run
from jober.notify import Notice, Notify, decide, retry_delay_s, usual_s
from jober.pace import paced_ms, paced_s
from jober.run import Run
from jober.secret_file import Secrets
from jober.store import Store
from jober.store.notices import ANY, Taken
from jober_scheduler.chore import Chore
from jober_scheduler.elector import Elector
from jober_scheduler.sending import Undeliverable, send

log = logging.getLogger(__name__)

EVERY_S = 0.5
AT_ONCE = 8
# Longer than a receiver is waited for.
LEASE_MS = paced_ms(60_000)
# How many of the newest runs the usual is known from.
RUNS_LOOKED_AT = 30


class Notifier:
    """Notifies while we lead. The mail server is named in the environment of the `secrets`."""

    def __init__(self, store: Store, elector: Elector, secrets: Secrets) -> None:
        self._store = store
        self._elector = elector
        self._secrets = secrets
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self.chore = Chore("notifier", EVERY_S, self._look)

    def _look(self) -> None:
        token = self._elector.token()
        if token is None:
            return
        for notice in self._store.notices.oldest():
            if not self._decide(token, notice):
                return
        failpoint("leader.before_take")
        while not self.chore.is_stopping and self._free.acquire(blocking=False):
            taken = self._store.notices.take(token, 1, LEASE_MS)
            if not taken:
                self._free.release()
                return
            threading.Thread(
                target=self._deliver, args=(taken[0],), name=f"deliver-{taken[0].id}", daemon=True
            ).start()

    def _decide(self, token: str, notice: Notice) -> bool:
        """Queue what a notice comes to; False where another leads by now."""
        try:
            job = self._store.jobs.get(notice.job).job
            policies = [Notify.read(told, "notify") for told in job.notify]
        except (JobNotFound, ValueError, JoberError):
            # It is gone by now, or cannot be read: nobody says whom to tell.
            job, policies = Job(name=notice.job, command="true"), []
        place = notice.facts.get("host", ANY) if job.on == "every" else ANY
        run, usual = self._run_of(notice)
        decided = decide(
            notice,
            policies,
            job.title or "",
            self._store.notices.failing_since(notice.job, place),
            run,
            usual,
        )
        return self._store.notices.queue(token, notice, place, policies, decided)

    def _run_of(self, notice: Notice) -> tuple[Run | None, float | None]:
        """The run of a notice, and how long it usually takes; None for what is not known."""
        if notice.run is None:
            return None, None
        run = self._store.runs.found([notice.run]).get(notice.run)
        if run is None:
            return None, None
        earlier = self._store.runs.page(notice.job, after=run.id, limit=RUNS_LOOKED_AT)
        return run, usual_s(run, earlier)

    def _deliver(self, taken: Taken) -> None:
        try:
            self._attempt(taken)
        except RedisUnavailable as error:
            told = "message %s: Redis is away, it is sent again: %s"
            log.warning(told, taken.id, error, extra=_about(taken))
        finally:
            self._free.release()

    def _attempt(self, taken: Taken) -> None:
        """One attempt to deliver, and its end."""
        now_ms = self._store.clock.now_ms()
        try:
            send(taken, self._secrets, now_ms)
        except Undeliverable as problem:
            age_s = (now_ms - taken.made_at_ms) / 1000
            delay_s = None if problem.for_good else retry_delay_s(taken.attempt, age_s)
            told = "given up" if delay_s is None else f"again in {delay_s:g} s"
            told = f"message {taken.id} to {taken.to}: {problem}; {told}"
            log.warning("%s", told, extra=_about(taken))
            paced = None if delay_s is None else paced_s(delay_s)
            self._store.notices.not_delivered(taken, str(problem), paced)
        except Exception as error:
            told = f"message {taken.id} to {taken.to} cannot be made"
            log.exception("%s", told, extra=_about(taken))
            self._store.notices.not_delivered(taken, f"{type(error).__name__}: {error}", None)
        else:
            failpoint("leader.sent")
            self._store.notices.delivered(taken)
            told = f"told {taken.to} of {taken.about} of {taken.job}"
            log.info("%s", told, extra=_about(taken))


def _about(taken: Taken) -> dict[str, object]:
    """What a line of the log about a message has as fields."""
    return about_run(taken.run, taken.job) if taken.run else {"job": taken.job}
