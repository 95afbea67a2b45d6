"""The way of a started process to its end: what it writes is passed on, and it is stopped when it
is told to, or when its time is over."""

import select
import signal
import time
from collections.abc import Callable
from typing import Protocol

from jober_worker.call import Options
from jober_worker.kernel import until_end
from jober_worker.pipes import Pipes
from jober_worker.processes import members, send
from jober_worker.usage import PeakMemory
from jober_worker.wake import Wake

# After a program has ended, what it piped its output through may pass on the rest for so long.
DRAIN_S = 0.5
# How often it is looked whether the rest of a tree that was told to stop has gone.
LOOK_S = 0.1
# epoll counts milliseconds, and takes no wait of more than 24 days.
LONGEST_S = 86_400.0
# So long after KILL, what the kernel or another user still holds is let be.
GIVE_UP_S = 2.0

# Why a run is to stop, and whether at once; None where it is not.
Asked = Callable[[], tuple[str, bool] | None]


class Answers(Protocol):
    """Where a process that serves run after run answers: what can be read there is heard."""

    def fileno(self) -> int: ...

    def hear(self) -> bytes | None:
        """The word; empty where it has hung up, None where there is none yet."""


class Following:
    """`follow` waits until it is over. Where `wake` rings, `asked` may have changed; where
    there is an `answers`, a word there ends it too: `answer` is the word."""

    def __init__(
        self,
        run: str,
        pid: int,
        pipes: Pipes,
        options: Options,
        wake: Wake,
        asked: Asked,
        answers: Answers | None = None,
        on_timeout: Callable[[], None] = lambda: None,
    ) -> None:
        self.timed_out = False
        self.stopped_for: str | None = None
        self.answer = b""
        self.memory = PeakMemory(pid)
        self._run = run
        self._pid = pid
        self._pipes = pipes
        self._wake = wake
        self._asked = asked
        self._answers = answers
        self._on_timeout = on_timeout
        self._ended = False
        self._timeout_at = time.monotonic() + options.timeout_s if options.timeout_s else None
        self._grace_s = options.grace_s
        self._kill_at: float | None = None
        self._give_up_at: float | None = None
        self._drain_until: float | None = None

    @property
    def is_clean(self) -> bool:
        """Whether it has ended by itself, and nothing holds its pipes any more."""
        return self._ended and not self._pipes.streams and self._kill_at is None

    def follow(self) -> None:
        """Pass on its output until it has ended, its pipes are at their end or the time for that
        is over, and, where it was told to stop, all its processes are gone."""
        with until_end(self._pid) as end:
            ready = select.poll()
            for pipe in self._pipes.streams:
                ready.register(pipe, select.POLLIN)
            ready.register(end, select.POLLIN)
            ready.register(self._wake.reading, select.POLLIN)
            if self._answers:
                ready.register(self._answers, select.POLLIN)
            while not self._is_over():
                wait_s = self._wait_s()
                for found, event in ready.poll(None if wait_s is None else wait_s * 1000):
                    if found in self._pipes.streams:
                        if not self._pipes.pass_on(found, is_empty=not event & select.POLLIN):
                            ready.unregister(found)
                    elif found == self._wake.reading:
                        self._wake.heard()
                        self._obey()
                    elif found == end:
                        ready.unregister(end)
                        self._end()
                    else:
                        self._hear(ready)
                self._act(time.monotonic())

    def _hear(self, ready: select.poll) -> None:
        assert self._answers is not None
        answer = self._answers.hear()
        if answer is None:
            return
        ready.unregister(self._answers)
        self.answer = answer
        if self.answer:
            self._end()
            if self._kill_at is not None:
                # What was told to stop has ended by itself; the process that it was called in waits
                # for others, and would be waited for until the grace is over.
                send([self._pid], signal.SIGKILL)
        # Else it has closed it: its exit status will tell.

    def _end(self) -> None:
        self._ended = True
        self._timeout_at = None
        self._drain_until = time.monotonic() + DRAIN_S

    def _is_over(self) -> bool:
        if not self._ended:
            return False
        if self._pipes.streams and self._drain_until and time.monotonic() < self._drain_until:
            return False
        if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
            return True
        return self._kill_at is None or not self._members()

    def _wait_s(self) -> float | None:
        at = [at for at in (self._timeout_at, self._kill_at) if at is not None]
        if self._ended:
            if self._pipes.streams and self._drain_until is not None:
                at.append(self._drain_until)
            if self._kill_at is not None:
                at.append(time.monotonic() + LOOK_S)
        elif self._answers is None:
            at.append(self.memory.due_s)
        return min(max(0.0, min(at) - time.monotonic()), LONGEST_S) if at else None

    def _act(self, now: float) -> None:
        """Do what is due by now."""
        if self._answers is None and not self._ended and now >= self.memory.due_s:
            self.memory.look()
        if self._timeout_at is not None and now >= self._timeout_at:
            self.timed_out = True
            self._on_timeout()
            self._terminate(now)
        if self._kill_at is not None and now >= self._kill_at:
            # Again and again: one may fork while the others are killed.
            send(self._members(), signal.SIGKILL)
            self._kill_at = now + LOOK_S
            self._give_up_at = self._give_up_at or now + GIVE_UP_S

    def _obey(self) -> None:
        asked = self._asked()
        if asked is None or (self._ended and self._kill_at is None):
            return
        reason, at_once = asked
        now = time.monotonic()
        if self._kill_at is None:
            self.stopped_for = reason
            self._terminate(now)
        if at_once:
            self._kill_at = now

    def _terminate(self, now: float) -> None:
        self._timeout_at = None
        self._kill_at = now + self._grace_s
        send(self._members(), signal.SIGTERM)

    def _members(self) -> list[int]:
        return members(self._run, self._pid)

    def kill_holders(self) -> None:
        """Kill what outside its session holds its pipes, if anything does."""
        if self._pipes.streams or not self._ended:
            send(self._members(), signal.SIGKILL)
