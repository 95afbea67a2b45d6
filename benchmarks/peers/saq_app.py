"""SAQ, ten at a time; it keeps the results in the records of its jobs."""

import asyncio
import sys
from typing import Any

from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

from benchmarks.peers import COUNTED, socket, tasks

queue = RedisQueue(Redis(unix_socket_path=socket()), name="bench")


async def nothing(_: Any) -> int:
    return tasks.nothing()


async def counted(_: Any) -> int:
    return tasks.counted()


settings = {"queue": queue, "functions": [nothing, counted], "concurrency": 10}


async def fill(count: int) -> None:
    for n in range(count):
        await queue.enqueue("nothing" if n < count - COUNTED else "counted", ttl=3600)
    await queue.disconnect()


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))
