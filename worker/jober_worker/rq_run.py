"""A plain RQ job, which an application has put into a queue of ours by RQ's own means.

It runs in a warm process, always: RQ's timeouts are alarms, which only the main thread of a process
hears; it can be stopped there; and what is unpickled is unpickled there, and not in the agent.
These processes serve no run of ours, since a plain RQ job is given the address of Redis, as by RQ's
worker: for its callbacks, and for what `get_current_job()` gives.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from jober.run import Outcome, RunState
from jober_worker.call import Options, RqCall
from jober_worker.cgroups import Groups
from jober_worker.function_process import FunctionRun
from jober_worker.functions import Writer
from jober_worker.warm import WarmPool

# RQ's, of a job that does not say; of a callback too.
TIMEOUT_S, CALLBACK_TIMEOUT_S = 180, 60
# As with RQ's worker, a job that still goes on so long after its own alarm is ended from outside.
OVERTIME_S = 60
# RQ forks for each; to start a process takes a thousand times as long as most jobs. It is ended
# after so many, but not sooner than after so long.
RUNS_PER_PROCESS = 1000
LEAST_S_PER_PROCESS = 60.0


class RqRun(FunctionRun):
    """It is stopped as every run, and then its callback is called; see `rq_child` for the rest."""

    def __init__(
        self,
        call: RqCall,
        worker: str,
        variables: Mapping[str, str],
        write: Writer,
        groups: Groups,
        pool: WarmPool,
    ) -> None:
        variables = {**variables, "RQ_JOB_ID": call.id}
        options = options_of(call, worker)
        super().__init__(call.id, call, options, variables, write, groups, pool)
        self._callback: Callable[[], RqRun] | None = None
        if not call.stopped and call.record.get(b"stopped_callback_name"):
            asked = replace(call, stopped=True)
            self._callback = partial(RqRun, asked, worker, variables, write, groups, pool)

    def run(self) -> Outcome:
        outcome = super().run()
        # Its own alarm is an exception, and has a traceback.
        if outcome.state is RunState.TIMEOUT and outcome.traceback is None:
            reason = f"stopped: it went on for {OVERTIME_S} s after its timeout was over"
            return replace(outcome, reason=reason)
        return outcome

    def stopped(self, outcome: Outcome) -> Outcome:
        """Call the callback of a job that was stopped, if it has one; the outcome after that."""
        if self._callback is None:
            return outcome
        called = self._callback().run()
        if called.state is RunState.SUCCESS:
            return outcome
        return replace(
            outcome, reason=f"{outcome.reason}; its stopped callback failed: {called.reason}"
        )


def options_of(call: RqCall, worker: str) -> Options:
    """How it is performed."""
    return Options(
        timeout_s=at_most_s(call),
        # It tells these processes from all others.
        env={"RQ_WORKER_ID": worker},
        process=True,
        max_runs_per_process=RUNS_PER_PROCESS,
        least_s_per_process=LEAST_S_PER_PROCESS,
    )


def at_most_s(call: RqCall) -> float | None:
    """Seconds until it is ended from outside; None for never."""
    record = call.record
    if call.stopped:
        return _seconds(record, b"stopped_callback_timeout", CALLBACK_TIMEOUT_S) + OVERTIME_S
    limit_s = _seconds(record, b"timeout", TIMEOUT_S) or TIMEOUT_S
    if limit_s < 0:
        return None
    callbacks = (b"success_callback", b"failure_callback")
    for name in callbacks:
        if record.get(name + b"_name"):
            limit_s += _seconds(record, name + b"_timeout", CALLBACK_TIMEOUT_S)
    return limit_s + OVERTIME_S


def _seconds(record: Mapping[bytes, bytes], name: bytes, default: int) -> int:
    try:
        return int(record.get(name, default))
    except ValueError:
        return default
