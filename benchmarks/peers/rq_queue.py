"""Plain RQ jobs, put in by RQ's own enqueue_many."""

import sys

from redis import Redis
from rq import Queue

from benchmarks.peers import COUNTED, socket
from benchmarks.peers.tasks import counted, nothing


def fill(count: int) -> None:
    with Redis(unix_socket_path=socket()) as connection:
        queue = Queue("default", connection=connection)
        data = [Queue.prepare_data(nothing)] * (count - COUNTED)
        data += [Queue.prepare_data(counted)] * COUNTED
        for first in range(0, count, 500):
            # Its data has its id once it is enqueued: the same must not go in twice.
            queue.enqueue_many([one._replace(job_id=None) for one in data[first : first + 500]])


if __name__ == "__main__":
    fill(int(sys.argv[1]))
