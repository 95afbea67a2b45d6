"""How fast others turn what is due into queued work: the peers of `firing`.

Each is asked for what it does best: RQ's bulk enqueue and its cron scheduler into a list of
records, Celery's beat into a list of messages, APScheduler over its Redis job store into a thread
pool. Each has a private Redis and one process, and `jobs` jobs that are due at one moment.
Sources: rq 2.12 cron.py, celery 5.7 beat.py, APScheduler 3.11 schedulers/base.py.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from jober.embedded import RedisServer

Peer = Callable[[redis.Redis, int], float]


def nothing() -> None:
    """What all of them fire."""


def rq_enqueue_many(connection: redis.Redis, jobs: int) -> float:
    """RQ's own way to put many jobs into a queue, 500 in a pipeline."""
    from rq import Queue

    queue = Queue("bench", connection=connection)
    started = time.perf_counter()
    for first in range(0, jobs, 500):
        many = min(500, jobs - first)
        queue.enqueue_many([Queue.prepare_data(nothing) for _ in range(many)])
    return _rate(queue.count, jobs, started)


def rq_cron(connection: redis.Redis, jobs: int) -> float:
    """RQ's CronScheduler: one look at a table of jobs that are all due."""
    from rq.cron import CronScheduler

    scheduler = CronScheduler(connection=connection, logging_level=logging.ERROR)
    for _ in range(jobs):
        scheduler.register(nothing, "bench", interval=3600)
    started = time.perf_counter()
    scheduler.enqueue_jobs()
    return _rate(int(connection.llen("rq:queue:bench")), jobs, started)


def celery_beat(connection: redis.Redis, jobs: int) -> float:
    """Celery's beat: ticks until each entry, due at once, has been sent."""
    from celery import Celery
    from celery.beat import Scheduler

    path = connection.connection_pool.connection_kwargs["path"]
    app = Celery("bench", broker=f"redis+socket://{path}", set_as_current=False)
    app.conf.task_ignore_result = True
    app.conf.broker_connection_retry_on_startup = False
    app.conf.beat_schedule = {
        f"job-{n}": {"task": "bench.nothing", "schedule": timedelta(seconds=3600)}
        for n in range(jobs)
    }
    scheduler = Scheduler(app)
    for entry in scheduler.schedule.values():
        entry.last_run_at = app.now() - timedelta(seconds=7200)
    started = time.perf_counter()
    while int(connection.llen("celery")) < jobs:
        scheduler.tick()
        if time.perf_counter() - started > 60:
            break
    return _rate(int(connection.llen("celery")), jobs, started)


def apscheduler_redis(connection: redis.Redis, jobs: int) -> float:
    """APScheduler 3 over its Redis job store: from the due moment until all were executed."""
    from apscheduler.executors.base import BaseExecutor
    from apscheduler.jobstores.redis import RedisJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    path = connection.connection_pool.connection_kwargs["path"]
    fired = threading.Event()

    class Counting(BaseExecutor):  # type: ignore[misc]
        count = 0
        first = 0.0
        last = 0.0

        def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
            self.first = self.first or time.perf_counter()
            self.count += 1
            self._run_job_success(job.id, [])
            if self.count == jobs:
                self.last = time.perf_counter()
                fired.set()

    executor = Counting()
    scheduler = BackgroundScheduler(
        jobstores={"default": RedisJobStore(unix_socket_path=path)},
        executors={"default": executor},
        timezone=UTC,
    )
    scheduler.start(paused=True)
    for n in range(jobs):
        scheduler.add_job(
            nothing,
            "interval",
            hours=1,
            start_date=datetime.now(UTC) - timedelta(hours=2),
            next_run_time=datetime.now(UTC),
            id=f"job-{n}",
            misfire_grace_time=None,
        )
    scheduler.resume()
    done = fired.wait(60)
    scheduler.shutdown(wait=False)
    return executor.count / (executor.last - executor.first) if done else 0.0


PEERS: dict[str, Peer] = {
    "RQ enqueue_many": rq_enqueue_many,
    "RQ CronScheduler": rq_cron,
    "Celery beat": celery_beat,
    "APScheduler, Redis store": apscheduler_redis,
}


def rate(peer: Peer, jobs: int) -> float:
    """Jobs a second, on a private Redis."""
    logging.disable(logging.CRITICAL)
    with RedisServer() as server:
        connection = redis.Redis.from_url(server.url)
        try:
            return peer(connection, jobs)
        finally:
            connection.close()
            logging.disable(logging.NOTSET)


def _rate(found: int, jobs: int, started: float) -> float:
    took = time.perf_counter() - started
    if found < jobs:
        raise RuntimeError(f"only {found} of {jobs} were enqueued")
    return jobs / took
