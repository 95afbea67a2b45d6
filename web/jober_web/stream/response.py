"""A stream of events as an answer. Who does not take what is sent for too long is given up."""

import asyncio
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

# What is sent has to be taken within so long: a follower that is gone is often not told of.
TAKEN_WITHIN_S = 30.0


class EventStream(StreamingResponse):
    """Server-sent events. No proxy is to keep them back."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def stream_response(self, send: Send) -> None:
        """Send it, until its end or until nobody takes it."""

        async def within(message: Message) -> None:
            async with asyncio.timeout(TAKEN_WITHIN_S):
                await send(message)

        try:
            await super().stream_response(within)
        except TimeoutError:
            # The server closes the connection of an answer that has no end.
            return
        finally:
            close = getattr(self.body_iterator, "aclose", None)
            if close is not None:
                await close()
