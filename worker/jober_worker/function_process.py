"""A function in a process of its own, which may have served other runs before; see `warm`."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, Any

from jober.run import Outcome, RunState
from jober_worker.call import Function, Options, RqCall
from jober_worker.cgroups import Groups
from jober_worker.following import Following
from jober_worker.functions import Writer
from jober_worker.limits import Limits, shown_bytes
from jober_worker.pipes import Pipes
from jober_worker.process import Ended, ProgramRun, kill_session
from jober_worker.spawn import Setting, folder_of
from jober_worker.usage import Usage
from jober_worker.wake import Wake
from jober_worker.warm import RUN, WarmPool, WarmProcess


class FunctionRun(ProgramRun):
    """It is stopped, timed and read as every program; see `child` for the other side."""

    _ASK = RUN

    def __init__(
        self,
        run: str,
        function: Function | RqCall,
        options: Options,
        variables: Mapping[str, str],
        write: Writer,
        groups: Groups,
        pool: WarmPool,
    ) -> None:
        super().__init__(run, (), options, variables, write, groups)
        self._function = function
        self._pool = pool

    def _start_and_follow(self, setting: Setting, wake: Wake) -> Outcome:
        pipes = self._pipes()
        try:
            with tempfile.TemporaryFile("w+") as request, tempfile.TemporaryFile("w+") as answer:
                json.dump(self._asked_for(setting), request)
                request.seek(0)
                warm = self._ask(setting, pipes, request.fileno(), answer.fileno())
                return self._follow(warm, pipes, wake, answer)
        finally:
            pipes.close()

    def _asked_for(self, setting: Setting) -> dict[str, Any]:
        return {
            **self._function.asked(),
            "path": os.getcwd(),
            "variables": dict(self._variables),
            "cpu_time": setting.limits.cpu_time,
            "locals": self.options.locals,
        }

    def _ask(self, setting: Setting, pipes: Pipes, *files: int) -> WarmProcess:
        # How much CPU time is left to a process is not what makes it another: it is told each run.
        limits = replace(setting.limits, cpu_time=None)
        shared = replace(setting, limits=limits, folder=folder_of(setting))
        while True:
            warm = self._pool.take(shared, pipes.stdout, pipes.stderr)
            if warm.ask([*files, pipes.stdout, pipes.stderr], self._ASK) or warm.runs == 1:
                break
            self._pool.end(warm)  # it has just ended by itself, before it was asked
        pipes.after_start()
        self.pid = warm.pid
        self._tell(warm.started.notes)
        return warm

    def _follow(self, warm: WarmProcess, pipes: Pipes, wake: Wake, answer: IO[str]) -> Outcome:
        following = Following(
            self._run,
            warm.pid,
            pipes,
            self.options,
            wake,
            self._asked,
            warm,
            self.on_timeout,
        )
        outcome = ended = None
        try:
            following.follow()
            if following.answer:
                outcome = _read_answer(answer)
        finally:
            if outcome is not None:
                warm.cpu_s += outcome.cpu_s or 0.0
            ended = self._let_go(warm, pipes, following, outcome is not None)
        return self._told(outcome, ended, following, warm)

    def _let_go(
        self, warm: WarmProcess, pipes: Pipes, following: Following, answered: bool
    ) -> Ended | None:
        """It goes back to the others; or is ended: it is not clean, or has served enough."""
        clean = answered and following.is_clean and following.answer == b"+"
        if clean and not self._has_served_enough(warm):
            self._pool.give_back(warm)
            return None
        kill_session(warm.pid)
        following.kill_holders()
        pipes.pass_on_rest()
        return self._pool.end(warm)

    def _has_served_enough(self, warm: WarmProcess) -> bool:
        options = self.options
        return warm.has_served(options.max_runs_per_process, options.least_s_per_process)

    def _told(
        self, outcome: Outcome | None, ended: Ended | None, following: Following, warm: WarmProcess
    ) -> Outcome:
        """The outcome, by what was answered and how it ended."""
        limits = replace(warm.setting.limits, cpu_time=self.options.cpu_time)
        stopped = following.timed_out or following.stopped_for is not None
        if outcome is not None and not stopped:
            return _with_limit(outcome, limits)
        assert ended is not None, "it was not clean"
        return self._died(ended, following, limits, warm, stopped)

    def _died(
        self, ended: Ended, following: Following, limits: Limits, warm: WarmProcess, stopped: bool
    ) -> Outcome:
        usage = following.memory.usage(ended.used)
        cpu_s = None if usage.cpu_s is None else max(0.0, round(usage.cpu_s - warm.cpu_s, 6))
        # Of one that has served others too, the peak may be theirs.
        peak = usage.peak_memory_bytes if warm.runs == 1 else None
        its_own = Usage(cpu_s=cpu_s, peak_memory_bytes=peak)
        outcome = self._outcome(ended, following, limits, its_own)
        return outcome if stopped else _unanswered(outcome)


def _read_answer(answer: IO[str]) -> Outcome | None:
    """The outcome that the child wrote; None where it did not come to that."""
    # The child has the same open file, so it has moved our place in it too.
    answer.seek(0)
    try:
        told: dict[str, Any] = json.load(answer)
        known = {"state": RunState(told["state"]), "errors": tuple(told["errors"])}
        return Outcome(**{**told, **known})
    except (ValueError, TypeError, KeyError):
        return None


def _with_limit(outcome: Outcome, limits: Limits) -> Outcome:
    if limits.memory is None or not (outcome.reason or "").startswith("MemoryError"):
        return outcome
    told = (outcome.reason or "").rstrip(": ")
    return replace(outcome, reason=f"{told}: over its memory limit of {shown_bytes(limits.memory)}")


def _unanswered(ended: Outcome) -> Outcome:
    how = ended.reason or f"exit code {ended.exit_code}"
    return replace(
        ended,
        state=RunState.FAILED,
        # An exit with 0 before the answer is no success, and nobody shall read it as one.
        exit_code=ended.exit_code or 1,
        reason=f"its process ended before the function returned: {how}",
    )
