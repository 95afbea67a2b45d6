"""The threads in which an `AsyncJober` calls: quick calls share a few, one that waits has its own.

Nothing here blocks the loop. A task that is cancelled is so at once; the thread that waited on its
behalf gives up within a second or so.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, TypeVar

from jober.client.giving_up import is_given_up

T = TypeVar("T")

QUICK = 8
# So many calls may wait at once; further ones wait for their turn.
WAITS_AT_MOST = 256
_END: Any = object()


class Threads:
    """Those of one AsyncJober, which is of one loop."""

    def __init__(self) -> None:
        self._quick = ThreadPoolExecutor(QUICK, thread_name_prefix="jober-async")
        self._waits = asyncio.Semaphore(WAITS_AT_MOST)

    async def call(self, call: Callable[[], T]) -> T:
        """Call what does not wait."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._quick, copy_context().run, call)

    async def wait(self, call: Callable[[], T]) -> T:
        """Call what waits."""
        async with self._waits:
            thread = _Thread()
            try:
                return await thread.call(call)
            finally:
                thread.end()

    async def iterate(self, make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """What an iterator yields that waits between."""
        async with self._waits:
            thread = _Thread()
            iterator: Iterator[T] | None = None
            try:
                iterator = await thread.call(make)
                while (item := await thread.call(lambda: next(iterator, _END))) is not _END:
                    yield item
            finally:
                thread.end(getattr(iterator, "close", None))

    def close(self) -> None:
        """No further call comes."""
        self._quick.shutdown(wait=False)


class _Thread:
    """One thread, in which a call may be given up."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="jober-waits")
        self._given_up = threading.Event()
        self._context: Context = copy_context()
        self._context.run(is_given_up.set, self._given_up.is_set)

    async def call(self, call: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._context.run, call)

    def end(self, close: Callable[[], None] | None = None) -> None:
        """Give up what is called, then close; waits for neither."""
        self._given_up.set()
        if close is not None:
            self._executor.submit(self._context.run, close)
        self._executor.shutdown(wait=False)
