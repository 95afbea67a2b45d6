"""A bell of the event loop: who waits for news hears it, and whoever does not wait is not kept."""

import asyncio
from contextlib import suppress


class Bell:
    """For one loop. Nothing happens between a look and the wait after it but in an await."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is something new."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, at_most_s: float) -> bool:
        """Wait until it rings, for so long at the most; whether it did."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._rung.wait()
                return True
        return False
