"""Celery: results kept, acknowledged late, so that a task is not lost with its worker."""

import sys

from celery import Celery

from benchmarks.peers import COUNTED, socket, tasks

app = Celery("bench", broker=f"redis+socket://{socket()}", backend=f"redis+socket://{socket()}")
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=20,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=False,
)
nothing = app.task(name="nothing")(tasks.nothing)
counted = app.task(name="counted")(tasks.counted)


def fill(count: int) -> None:
    for n in range(count):
        (nothing if n < count - COUNTED else counted).delay()


if __name__ == "__main__":
    fill(int(sys.argv[1]))
