"""arq, ten at a time; it keeps results, and looks for work each 10 ms (by default 500)."""

import asyncio
import sys
from typing import Any

from arq.connections import RedisSettings, create_pool

from benchmarks.peers import COUNTED, socket, tasks

REDIS = RedisSettings(unix_socket_path=socket())


async def nothing(_: Any) -> int:
    return tasks.nothing()


async def counted(_: Any) -> int:
    return tasks.counted()


class WorkerSettings:
    functions = [nothing, counted]
    redis_settings = REDIS
    max_jobs = 10
    poll_delay = 0.01


async def fill(count: int) -> None:
    pool = await create_pool(REDIS)
    for n in range(count):
        await pool.enqueue_job("nothing" if n < count - COUNTED else "counted")
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(fill(int(sys.argv[1])))
