"""What is heard once for all who follow, and who follows."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from jober.client import Jober
from jober.client.happenings import Subscription
from jober.client.live_outputs import LiveOutputs, Written
from jober.client.output import Output
from jober.event import Event
from jober.output import Frame
from jober_web.dependencies import jober_of
from jober_web.problems import RETRY_AFTER_S, Problem
from jober_web.stream.event_log import EventLog
from jober_web.stream.run_log import RunLog

log = logging.getLogger("jober_web")

# So many may follow one process.
FOLLOWERS_AT_MOST = 2_000


class Hub:
    """Of one application and one event loop. What it hears comes from threads."""

    def __init__(self, jober: Jober) -> None:
        self.jober = jober
        self.is_closed = False
        self.followers = 0
        self.runs: dict[str, RunLog] = {}
        self._loop = asyncio.get_running_loop()
        self._outputs = LiveOutputs(jober, lambda written: self._soon(self._written, written))
        self._events: EventLog | None = None
        self._early: list[Event] = []
        self._subscription: Subscription | None = None
        self._subscribing = asyncio.Lock()

    def check_room(self) -> None:
        """Raises Problem where so many follow that no more can."""
        if self.is_closed or self.followers >= FOLLOWERS_AT_MOST:
            raise Problem(
                503,
                "so many follow already that no more can",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )

    @contextmanager
    def following(self) -> Iterator[None]:
        """While somebody follows."""
        self.followers += 1
        try:
            yield
        finally:
            self.followers -= 1

    async def events(self) -> EventLog:
        """The events, heard from the first follower on. Raises RedisUnavailable."""
        async with self._subscribing:
            if self._events is None:
                self._early.clear()
                since, self._subscription = await run_in_threadpool(self._subscribe)
                self._events = EventLog(since)
                for event in self._early:
                    self._events.add(event)
        return self._events

    def _subscribe(self) -> tuple[str, Subscription]:
        """From which event on all are heard."""
        subscription = self.jober.on(
            "*",
            lambda event: self._soon(self._happened, event),
            away=lambda is_away: self._soon(self._away, is_away),
        )
        try:
            newest = self.jober.recent_events(1)
        except BaseException:
            subscription.stop()
            raise
        return newest[0].id if newest else "0", subscription

    def written(self, run: str, after: int, limit: int) -> list[Frame]:
        """The kept frames of a run after one, so many at the most. Asks Redis."""
        return Output(self.jober, run).frames_after(after, limit)

    @asynccontextmanager
    async def output(self, run: str) -> AsyncIterator[RunLog]:
        """What a run writes, heard while anybody follows it."""
        heard = self.runs.get(run)
        if heard is None:
            heard = self.runs[run] = RunLog()
            self._outputs.add(run)
        heard.followers += 1
        try:
            yield heard
        finally:
            heard.followers -= 1
            if not heard.followers:
                del self.runs[run]
                self._outputs.drop(run)

    def close(self) -> None:
        """Let all who follow go. In the loop."""
        self.is_closed = True
        for heard in self.runs.values():
            heard.bell.ring()
        if self._events is not None:
            self._events.bell.ring()

    def end(self) -> None:
        """Hear nothing more. In a thread, once it is closed."""
        if self._subscription is not None:
            self._subscription.stop()
        self._outputs.close()

    def _happened(self, event: Event) -> None:
        if self._events is not None:
            self._events.add(event)
        else:
            self._early.append(event)

    def _away(self, is_away: bool) -> None:
        if self._events is not None:
            self._events.set_away(is_away)

    def _written(self, written: Written) -> None:
        heard = self.runs.get(written.run)
        if heard is not None:
            heard.take(written)

    def _soon(self, call: Callable[[Any], None], what: Any) -> None:
        """Call in the loop, from a thread; no more once it has ended."""
        try:
            self._loop.call_soon_threadsafe(call, what)
        except RuntimeError:
            log.debug("the loop has ended")


async def hub_of(request: Request) -> Hub:
    """The hub of the application, made where somebody follows for the first time."""
    state = request.app.state
    hub: Hub | None = getattr(state, "jober_hub", None)
    if hub is None or hub.is_closed:
        jober = await run_in_threadpool(jober_of, request)
        # Another may have made it meanwhile.
        hub = getattr(state, "jober_hub", None)
        if hub is None or hub.is_closed:
            hub = state.jober_hub = Hub(jober)
    return hub


def close_hub(app: FastAPI) -> Hub | None:
    """Let all who follow go; the hub, where there is one, is to be ended then."""
    hub: Hub | None = getattr(app.state, "jober_hub", None)
    if hub is not None:
        hub.close()
    return hub
