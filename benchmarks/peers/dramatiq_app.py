"""Dramatiq with results: it acknowledges when a task has ended."""

import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks.peers import COUNTED, socket, tasks

URL = f"unix://{socket()}"
broker = RedisBroker(url=URL)
backend = RedisBackend(url=URL, use_namespace_prefix_keys=True)
broker.add_middleware(Results(backend=backend, store_results=True))
dramatiq.set_broker(broker)
nothing = dramatiq.actor(actor_name="nothing")(tasks.nothing)
counted = dramatiq.actor(actor_name="counted")(tasks.counted)


def fill(count: int) -> None:
    for n in range(count):
        (nothing if n < count - COUNTED else counted).send()


if __name__ == "__main__":
    fill(int(sys.argv[1]))
