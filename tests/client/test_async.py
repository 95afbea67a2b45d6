"""The asynchronous twin: the same calls, and a loop that nothing holds up."""

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jober import AsyncJober, AsyncRun, Jober, RunHandle
from jober.client.asynchronous import AsyncOutput
from jober.client.output import Output
from jober.client.twin import asked, awaited, iterated, turned
from jober.embedded import RedisServer
from jober.errors import DefinitionError, JoberError, JobNotFound, RunFailed, WaitTimeout
from jober.event import Event
from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until

WITHIN_S = 60.0
# Calls that are other than those of `Jober`: it is closed within the loop, and calls back there.
OWN = {"close", "on"}


@pytest.mark.parametrize(
    ("sync", "twin"), [(Jober, AsyncJober), (RunHandle, AsyncRun), (Output, AsyncOutput)]
)
def test_the_twin_has_the_same_calls_with_the_same_words(sync: type, twin: type) -> None:
    def public(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    own = public(sync)
    assert own == public(twin) - {"id"}  # which is an attribute there
    for name in own - OWN:
        made = inspect.getattr_static(twin, name)
        if isinstance(made, staticmethod):
            assert inspect.unwrap(made.__func__) == getattr(sync, name), f"{name} is another's"
        elif isinstance(made, awaited | turned | iterated):
            assert made._call is getattr(sync, name), f"{name} is another's"
            assert made.__doc__ == getattr(sync, name).__doc__
        else:
            assert isinstance(made, asked | property), name


@asynccontextmanager
async def on_a_fleet(fleet: Fleet) -> AsyncIterator[AsyncJober]:
    fleet.agent("alpha")
    async with AsyncJober(fleet.url) as jober:
        yield jober


def in_loop(test: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Run a test in a loop that tells where something holds it up."""

    async def run() -> None:
        asyncio.get_running_loop().slow_callback_duration = 5.0
        await test(*arguments)

    asyncio.run(run(), debug=True)


def test_a_run_is_made_waited_for_and_read(fleet: Fleet) -> None:
    async def test() -> None:
        async with on_a_fleet(fleet) as jober:
            run = await jober.run("echo one; echo two >&2; exit 3", shell=True)
            ended = await run.wait(WITHIN_S)
            assert (ended.state, await run.state, await run.exit_code) == ("failed", "failed", 3)
            assert await run.stdout.lines() == ["one"]
            assert await run.stderr.head(1) == "two\n"
            assert isinstance(await run.exception(), RunFailed)
            again = await run.rerun()
            assert again.id != run.id
            assert (await again.wait(WITHIN_S)).state is RunState.FAILED
            assert await (await jober.run("operator:add", args=[20, 22])).result(WITHIN_S) == 42
            assert [one.id for one in await jober.runs()][-1] == run.id
            assert (await jober.handle(run.id)).id == run.id

    in_loop(test)


def test_output_and_events_are_followed(fleet: Fleet, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def test() -> None:
        async with on_a_fleet(fleet) as jober:
            waits = f"echo first; until [ -e {gate} ]; do sleep 0.02; done; echo last"
            run = await jober.run(waits, shell=True)
            lines = []
            async for line in run.output.follow():
                lines.append(line)
                gate.touch()
            assert lines == ["first", "last"]
            types = [event.type async for event in jober.events(after="0-0", timeout=0.5)]
            assert {"run.queued", "run.started", "run.finished"} <= set(types)

    in_loop(test)


def test_what_is_wrong_is_raised_as_by_the_calls_themselves(fleet: Fleet) -> None:
    async def test() -> None:
        async with on_a_fleet(fleet) as jober:
            await jober.add_job("sum", call="builtins:sum", args=[[1, 2]])
            assert [record.name async for record in jober.jobs()] == ["sum"]
            with pytest.raises(JobNotFound):
                await jober.run("nope")
            with pytest.raises(DefinitionError):
                await jober.runs(limit=-1)
            run = await jober.run(["sleep", "600"])
            with pytest.raises(WaitTimeout):
                await run.wait(0.1)
            await run.cancel()
            with pytest.raises(RunFailed):
                await run.result(WITHIN_S)

    in_loop(test)


def test_many_wait_at_once_and_the_loop_goes_on(fleet: Fleet) -> None:
    async def test() -> None:
        async with on_a_fleet(fleet) as jober:
            held = [await jober.run(["sleep", "600"]) for _ in range(20)]
            waits = [asyncio.create_task(run.wait()) for run in held]
            # More than there are threads for what is quick, and none stands in another's way.
            assert await (await jober.run("operator:add", args=[1, 1], roles=["none"])).state
            cancelled = [await run.cancel() for run in held]
            assert set(cancelled) <= {"asked", "withdrawn"}
            ended = await asyncio.gather(*waits)
            assert {run.state for run in ended} == {RunState.CANCELLED}

    in_loop(test)


def test_a_wait_that_is_cancelled_leaves_no_thread_behind(fleet: Fleet) -> None:
    def waiting() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name.startswith("jober-waits")]

    async def follow(run: AsyncRun) -> None:
        async for _ in run.output.follow():
            pass

    async def test() -> None:
        async with on_a_fleet(fleet) as jober:
            run = await jober.run(["sleep", "600"], roles=["nowhere"])
            tasks = [
                asyncio.create_task(one)
                for one in (run.wait(), run.wait(until="running"), run.result(), follow(run))
            ]
            await asyncio.to_thread(wait_until, lambda: len(waiting()) == len(tasks))
            for task in tasks:
                task.cancel()
            told = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in told)
            await asyncio.to_thread(wait_until, lambda: not waiting())
            assert await run.state == "queued"

    in_loop(test)


def test_callbacks_are_called_in_the_loop_one_after_another(fleet: Fleet) -> None:
    told: list[tuple[str, str]] = []

    async def test() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        async with on_a_fleet(fleet) as jober:

            async def slowly(event: Event) -> None:
                assert asyncio.get_running_loop() is loop
                await asyncio.sleep(0.05)
                told.append(("slowly", event.type))
                if event.type == "run.finished":
                    done.set()

            def at_once(event: Event) -> None:
                assert asyncio.get_running_loop() is loop
                told.append(("at once", event.type))
                raise ValueError("it is logged, and the others are called")

            first = await jober.on("run.*", at_once)
            await jober.on("run.*", slowly)
            await jober.run(["true"])
            await asyncio.wait_for(done.wait(), WITHIN_S)
            first.stop()
            with pytest.raises(DefinitionError):
                await jober.on("run.finishd", slowly)

    in_loop(test)
    types = [type for _, type in told[::2]]
    assert types[0] == "run.queued" and types[-1] == "run.finished"
    assert told == [(who, type) for type in types for who in ("at once", "slowly")]


def test_a_dict_of_jobs_is_scheduled_until_it_is_cancelled(fleet: Fleet) -> None:
    dumped: list[dict[str, str]] = []

    async def test() -> None:
        fleet.agent("alpha")
        fleet.scheduler()
        jobs = {"adds": {"func": "operator:add", "args": [1, 2], "every": 1}}
        twin = AsyncJober.from_jobs(jobs, fleet.url, dump_status=dumped.append)
        with pytest.raises(JoberError):
            await twin.status()
        async with twin as jober:
            scheduling = asyncio.create_task(jober.schedule())
            await asyncio.to_thread(wait_until, lambda: len(dumped) >= 2)
            scheduling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await scheduling
            assert (await jober.status()).keys() == {"adds"}

    in_loop(test)
    assert dumped[0].keys() == {"adds"}


def test_with_no_server_at_hand_it_opens_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBER_REDIS_URL", raising=False)

    async def test() -> None:
        async with AsyncJober(tmp_path / "state") as jober:
            number = 20

            async def local(more: int) -> int:
                return number + more

            assert await (await jober.run(local, args=(22,))).result(WITHIN_S) == 42
            run = await jober.run(["echo", "hi"])
            assert [line async for line in run.output.follow(WITHIN_S)] == ["hi"]

    in_loop(test)


def test_it_is_open_only_within_its_block(store: object, redis_server: RedisServer) -> None:
    async def test() -> None:
        jober = AsyncJober(redis_server.url)
        with pytest.raises(JoberError) as caught:
            await jober.agents()
        assert "it is not open (async with AsyncJober() as jober: …)" in str(caught.value)
        async with jober:
            assert await jober.agents() == []
        with pytest.raises(JoberError):
            await jober.agents()

    in_loop(test)
