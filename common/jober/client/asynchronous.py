"""`AsyncJober`: the calls of `Jober` for asyncio, from the same definitions.

    async with AsyncJober() as jober:
        run = await jober.run("date", shell=True)
        async for line in run.output.follow():
            print(line)
        print((await run.wait()).state)

What is a property there is awaited here: `await run.state`. A call that is cancelled is so at once.
"""

import asyncio
import inspect
import os
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self

from jober.client.handle import RunHandle
from jober.client.happenings import Callback, Subscription
from jober.client.jober import Jober
from jober.client.output import Output
from jober.client.threads import Threads
from jober.client.twin import Twin, asked, awaited, iterated, turned
from jober.errors import JoberError
from jober.event import Event

P = ParamSpec("P")


class AsyncOutput(Twin[Output]):
    """As `Output`."""

    bytes = awaited(Output.bytes)
    lines = awaited(Output.lines)
    head = awaited(Output.head)
    tail = awaited(Output.tail)
    follow = iterated(Output.follow)
    between = iterated(Output.between)
    size = awaited(Output.size)
    frames_after = awaited(Output.frames_after)
    frames = iterated(Output.frames)


def _run(handle: RunHandle, threads: Threads) -> "AsyncRun":
    return AsyncRun(handle, threads)


def _runs(handles: list[RunHandle], threads: Threads) -> "list[AsyncRun]":
    return [AsyncRun(handle, threads) for handle in handles]


class AsyncRun(Twin[RunHandle]):
    """As `RunHandle`."""

    def __repr__(self) -> str:
        return f"AsyncRun({self.id!r})"

    @property
    def id(self) -> str:
        """The id of the run."""
        return self._sync.id

    @property
    def output(self) -> AsyncOutput:
        """What it writes, on both streams and to its log."""
        return AsyncOutput(self._sync.output, self._threads)

    @property
    def stdout(self) -> AsyncOutput:
        """What it writes to stdout."""
        return AsyncOutput(self._sync.stdout, self._threads)

    @property
    def stderr(self) -> AsyncOutput:
        """What it writes to stderr."""
        return AsyncOutput(self._sync.stderr, self._threads)

    @property
    def log(self) -> AsyncOutput:
        """The records of its loggers, a line each."""
        return AsyncOutput(self._sync.log, self._threads)

    run = asked(RunHandle, lambda handle: handle.run)
    state = asked(RunHandle, lambda handle: handle.state)
    exit_code = asked(RunHandle, lambda handle: handle.exit_code)
    progress = asked(RunHandle, lambda handle: handle.progress)
    arguments = asked(RunHandle, lambda handle: handle.arguments)
    attempts = asked(RunHandle, lambda handle: handle.attempts)
    logs = asked(RunHandle, lambda handle: handle.logs)
    wait = awaited(RunHandle.wait, waits=True)
    result = awaited(RunHandle.result, waits=True)
    exception = awaited(RunHandle.exception, waits=True)
    cancel = awaited(RunHandle.cancel)
    rerun = turned(RunHandle.rerun, _run)


def _opened_by(make: Callable[P, Jober]) -> "Callable[P, AsyncJober]":
    """The same for the twin: what it calls is called when the twin is opened."""

    @wraps(make)
    def call(*args: P.args, **kwargs: P.kwargs) -> "AsyncJober":
        twin = AsyncJober()
        twin._make = lambda: make(*args, **kwargs)
        return twin

    return call


class AsyncJober(Twin[Jober]):
    """As `Jober`; it is at its place from `async with` on."""

    def __init__(
        self,
        where: str | os.PathLike[str] | None = None,
        *,
        sign_key: str | os.PathLike[str] | None = None,
        trust: str | os.PathLike[str] | None = None,
    ) -> None:
        self._make: Callable[[], Jober] = lambda: Jober(where, sign_key=sign_key, trust=trust)
        self._opened: tuple[Jober, Threads] | None = None

    @property
    def _sync(self) -> Jober:  # type: ignore[override]
        return self._open[0]

    @property
    def _threads(self) -> Threads:  # type: ignore[override]
        return self._open[1]

    @property
    def _open(self) -> tuple[Jober, Threads]:
        if self._opened is None:
            raise JoberError("it is not open (async with AsyncJober() as jober: …)")
        return self._opened

    async def __aenter__(self) -> Self:
        threads = Threads()
        try:
            self._opened = await threads.call(self._make), threads
        except BaseException:
            threads.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections; leave the folder, where it is in one."""
        opened, self._opened = self._opened, None
        if opened is not None:
            jober, threads = opened
            await threads.call(jober.close)
            threads.close()

    @property
    def url(self) -> str:
        """The address of its Redis, for other programs."""
        return self._sync.url

    # Running
    run = turned(Jober.run, _run)
    run_everywhere = turned(Jober.run_everywhere, _runs)
    handle = turned(Jober.handle, _run)
    runs = awaited(Jober.runs)
    run_page = awaited(Jober.run_page)
    batch = awaited(Jober.batch, waits=True)
    cancel_job = awaited(Jober.cancel_job)
    cancel_on = awaited(Jober.cancel_on)
    cancel_all = iterated(Jober.cancel_all)
    archive = awaited(Jober.archive)
    archived_runs = awaited(Jober.archived_runs)

    # Definitions
    difference = awaited(Jober.difference)
    apply = awaited(Jober.apply)
    carry_out = awaited(Jober.carry_out)
    add_job = awaited(Jober.add_job)
    defined = awaited(Jober.defined)
    redefined = awaited(Jober.redefined)
    now_ms = awaited(Jober.now_ms)
    put_job = awaited(Jober.put_job)
    update_job = awaited(Jober.update_job)
    remove_job = awaited(Jober.remove_job)
    remove = remove_job
    delete_job = awaited(Jober.delete_job)
    prune = awaited(Jober.prune)
    sign = awaited(Jober.sign)
    signed_by_others = awaited(Jober.signed_by_others)
    not_signed = awaited(Jober.not_signed)
    jobs = iterated(Jober.jobs)
    job = awaited(Jober.job)
    find_jobs = awaited(Jober.find_jobs)
    find_those = awaited(Jober.find_those)
    coming = awaited(Jober.coming)
    histories = awaited(Jober.histories)
    revisions = awaited(Jober.revisions)
    definition_of = awaited(Jober.definition_of)
    pause = awaited(Jober.pause)
    resume = awaited(Jober.resume)
    disable = pause
    enable = resume
    service = awaited(Jober.service)

    # The dict form
    from_jobs = staticmethod(_opened_by(Jober.from_jobs))
    schedule = awaited(Jober.schedule, waits=True)
    status = awaited(Jober.status)

    graph = awaited(Jober.graph)
    graph_around = awaited(Jober.graph_around)

    # The fleet, and what happens in it
    agents = awaited(Jober.agents)
    orders_for = awaited(Jober.orders_for)
    calendars = awaited(Jober.calendars)
    calendar = awaited(Jober.calendar)
    set_calendar = awaited(Jober.set_calendar)
    remove_calendar = awaited(Jober.remove_calendar)
    hosts_for = awaited(Jober.hosts_for)
    cordon = awaited(Jober.cordon)
    uncordon = awaited(Jober.uncordon)
    set_roles = awaited(Jober.set_roles)
    leader = awaited(Jober.leader)
    queues = awaited(Jober.queues)
    counts = awaited(Jober.counts)
    overdue = awaited(Jober.overdue)
    made_by_minute = awaited(Jober.made_by_minute)
    running = awaited(Jober.running)
    bad_runs = awaited(Jober.bad_runs)
    diagnose = awaited(Jober.diagnose)
    limits = awaited(Jober.limits)
    set_limit = awaited(Jober.set_limit)
    remove_limit = awaited(Jober.remove_limit)
    ledger = awaited(Jober.ledger)
    runs_of_fire = awaited(Jober.runs_of_fire)
    beginnings = awaited(Jober.beginnings)
    why = awaited(Jober.why)
    events = iterated(Jober.events)
    recent_events = awaited(Jober.recent_events)
    event_page = awaited(Jober.event_page)
    events_after = awaited(Jober.events_after)
    snapshot = awaited(Jober.snapshot)

    async def on(self, type: str, callback: Callback) -> Subscription:
        """As `Jober.on`; the callback, which may be async, is called in the loop, one after
        another in the order of the events."""
        loop = asyncio.get_running_loop()

        def call_back(event: Event) -> None:
            asyncio.run_coroutine_threadsafe(_called(callback, event), loop).result()

        return await self._threads.call(lambda: self._sync.on(type, call_back))


async def _called(callback: Callback, event: Event) -> None:
    answer = callback(event)
    if inspect.isawaitable(answer):
        await answer
