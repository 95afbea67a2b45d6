"""For every Python whose clock a test sets: libfaketime 0.9.10 fails what `time.sleep` calls
(clock_nanosleep until a moment of the monotonic clock), so it waits by another call."""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep  # type: ignore[assignment]
