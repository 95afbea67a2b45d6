"""Taskiq on a Redis stream, with results: it acknowledges when the result is saved."""

import asyncio
import sys

from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from benchmarks.peers import COUNTED, socket, tasks

URL = f"unix://{socket()}"
broker = RedisStreamBroker(URL, consumer_id="0").with_result_backend(
    RedisAsyncResultBackend(URL, prefix_str="result")
)


@broker.task(task_name="nothing")
async def nothing() -> int:
    return tasks.nothing()


@broker.task(task_name="counted")
async def counted() -> int:
    return tasks.counted()


async def fill(count: int) -> None:
    await broker.startup()
    for n in range(count):
        await (nothing if n < count - COUNTED else counted).kiq()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))
