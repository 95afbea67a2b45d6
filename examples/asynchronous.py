"""The same from asyncio: `python examples/asynchronous.py`, with no server at hand."""

import asyncio

from jober import AsyncJober
from jober.event import Event


async def main() -> None:
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def tell(event: Event) -> None:
        await ended.put(f"{event.job}: {event.facts['state']}")

    async with AsyncJober() as jober:
        await jober.on("run.finished", tell)
        await jober.add_job("seq", name="numbers", args=[3])
        run = await jober.run("numbers")
        async for line in run.stdout.follow():
            print(line)
        print((await run.wait(timeout=60)).state, await run.exit_code)
        print("told of", await ended.get())

        runs = [await jober.run("operator:mul", args=[n, n]) for n in range(5)]
        print(await asyncio.gather(*(run.result(timeout=60) for run in runs)))

    twin = AsyncJober.from_jobs({"often": {"func": "time:time", "every": 1}})
    async with twin as jober:
        scheduling = asyncio.create_task(jober.schedule())
        while not await jober.runs("often", state="success"):
            await asyncio.sleep(0.1)
        scheduling.cancel()
        print("it has fired")


asyncio.run(main())
