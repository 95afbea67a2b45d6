"""One claimed run, from the claim to its outcome. What it does is read from its record."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from jober.failpoint import failpoint
from jober.output import Stream
from jober.run import Claim, Outcome, RunState
from jober.secret_file import Secrets, SecretUnreadable
from jober.store.report import Finish
from jober.traceparent import VARIABLE as TRACEPARENT
from jober_worker.begun import Begun
from jober_worker.call import (
    CallOfLater,
    CallUnreadable,
    Function,
    Options,
    RqCall,
    RqTerms,
    read_batched,
)
from jober_worker.cgroups import Groups
from jober_worker.env_file import EnvFileUnreadable, read_env_file
from jober_worker.function_process import FunctionRun
from jober_worker.function_thread import ThreadRun
from jober_worker.functions import Data, Writer
from jober_worker.gate import Gate
from jober_worker.kernel import now_s
from jober_worker.listener import Listener
from jober_worker.live_attempt import LiveAttempt
from jober_worker.log_folder import LogFolder
from jober_worker.plan import Plans
from jober_worker.process import ProgramRun
from jober_worker.recording import Recording
from jober_worker.records import about
from jober_worker.refused import Refused
from jober_worker.rq_run import RqRun
from jober_worker.run_output import RunOutput
from jober_worker.secrets import with_secrets
from jober_worker.warm import WarmPool

log = logging.getLogger(__name__)

# Why runs are stopped where nobody has asked for it.
STOPPED = "its agent was stopped"


@dataclass(frozen=True, kw_only=True)
class Means:
    """What all executions of an agent have in common. `output` makes the output of an attempt."""

    host: str
    gate: Gate
    listener: Listener
    logs: LogFolder
    begun: Begun
    groups: Groups
    pool: WarmPool
    rq: RqTerms
    plans: Plans
    secrets: Secrets
    output: Callable[[str, int], RunOutput]
    now_ms: Callable[[], int]
    on_progress: Callable[[LiveAttempt], None]
    # Where an attempt stands in a trace, told where its caller stands (if anywhere).
    traceparent: Callable[[Claim, str | None], str | None] = lambda claim, callers: callers


class Execution:
    """`run` is for an executor thread; `stop` may be called by any.

    `begun_s` is a moment before any of its processes (`kernel.now_s`), `began_ms` when it began.
    `service` is "any" or "every" for a run of a service, None for any other. What most runs have no
    use for (an output, where they are silent) comes up where it is needed.
    """

    began_ms: int | None = None
    # Where it is marked that a run which was reserved has begun.
    place: int | None = None
    # Of what may be reserved: a function in a thread, a program, a plain RQ job in a batch.
    took_s: float | None = None
    may_leave = True  # processes that outlive it
    output: RunOutput | None = None
    _recording: Recording | None = None
    _program: ProgramRun | ThreadRun | None = None
    _stop_reason: str | None = None
    _at_once = False
    _is_lost = False
    _is_over = False
    _options = Options()
    _batched: RqCall | bool | None = False  # not asked for yet

    def __init__(self, claim: Claim, means: Means) -> None:
        self.claim = claim
        self.lease = claim.lease
        self._means = means
        self._plan = plan = means.plans.of(claim)
        self.service = plan.service
        self.policy = plan.policy
        self.attempt = LiveAttempt(
            claim, means.host, means.now_ms, means.on_progress, means.listener.tell_cancelled
        )
        self.begun_s = now_s()
        self._lock = threading.Lock()
        if claim.attempt > 1:
            # What earlier attempts have written is told of at the end.
            self.output = means.output(claim.id, claim.attempt)

    @property
    def pid(self) -> int | None:
        """The first process of it; None where it has none, or it is not known yet."""
        program = self._program
        return program.pid if program else None

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask it to stop."""
        if self._stop_reason is None:
            log.info("stopping %s: %s", self.claim.id, reason, extra=about(self.claim))
            self._stop_reason = reason
        self._at_once = self._at_once or at_once
        # Either this sees the program, or `run` sees the reason. It is told before its processes
        # are: one that obeys at once has been stopped, and has not ended by itself.
        if program := self._program:
            program.stop(reason, at_once=at_once)
        self.attempt.cancel()

    def give_up(self) -> None:
        """Ask it to stop, since it is no longer ours: what is stopped so is lost, not cancelled."""
        self._is_lost = True
        self.stop("its agent was silent for longer than its lease, and stopped it when it was back")

    def finish(self, outcome: Outcome) -> Finish:
        """What is to be reported of its end, but for its output."""
        began_ms = self.began_ms
        return Finish(
            claim=self.claim,
            host=self.attempt.host,
            outcome=outcome,
            retry_in_s=self._retry_in_s(outcome),
            progress=self.attempt.newest,
            began_ms=began_ms if self.claim.reserved else None,
            took_s=None if began_ms is None else (self._means.now_ms() - began_ms) / 1000,
        )

    def run(self) -> Outcome:
        """Do it, and tell how it ended. Raises nothing."""
        self.began_ms = self._means.now_ms()
        if self.claim.reserved:
            self._means.begun.mark(self.take_place(), self.lease)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s begins", self.lease, extra=about(self.claim))
        try:
            outcome = self._run()
        except Refused as error:
            log.warning("%s is refused: %s", self.claim.id, error, extra=about(self.claim))
            refused = "here" if error.here else "for good"
            outcome = Outcome(state=RunState.FAILED, reason=str(error), refused=refused)
        except CallOfLater as error:
            log.warning("%s", error, extra=about(self.claim))
            outcome = Outcome(state=RunState.FAILED, reason=str(error), refused="here")
        except (CallUnreadable, SecretUnreadable) as error:
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=str(error))
        except BaseException as error:
            claim = self.claim
            log.exception("the agent failed to carry out %s", claim.id, extra=about(claim))
            reason = f"the agent failed: {type(error).__name__}: {error}"
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=reason)
        return self._end(outcome)

    def take_place(self) -> int:
        """Where it is marked that it has begun."""
        if self.place is None:
            self.place = self._means.begun.take()
        return self.place

    @property
    def batched(self) -> RqCall | None:
        """The plain RQ job that it is, where it can be one of a batch."""
        if self.asked is not None:
            return None
        if self._batched is False:
            is_open = self._means.gate.is_open
            self._batched = read_batched(self.claim, self._means.rq) if is_open else None
        assert not isinstance(self._batched, bool)
        return self._batched

    @property
    def asked(self) -> tuple[str, bool] | None:
        """Why it is to stop, and whether at once; None where it is not."""
        return None if self._stop_reason is None else (self._stop_reason, self._at_once)

    def enter(self, batch: ProgramRun) -> None:
        """It is one of a batch from now on."""
        failpoint("agent.before_batch")
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s begins, in a batch", self.claim.lease, extra=about(self.claim))
        self.attempt.record(self.write, self._masked)
        self._means.listener.expect(self.attempt)
        self._program = batch

    def leave(self) -> None:
        """It was not begun, and is no part of the batch any more."""
        self._program = None
        self._means.listener.forget(self.attempt, has_spoken=False)

    def end_in_batch(self, outcome: Outcome, *, has_spoken: bool) -> Outcome:
        """It has ended so, as the batch tells; what is to be told of it."""
        self._means.listener.forget(self.attempt, has_spoken=has_spoken)
        if outcome.state is RunState.CANCELLED and not self._is_lost and outcome.reason == STOPPED:
            # Nobody has stopped the job: RQ would try it again, if it may be.
            outcome = replace(outcome, state=RunState.FAILED)
        return self._end(outcome)

    def _end(self, outcome: Outcome) -> Outcome:
        self.attempt.end()
        with self._lock:
            self._is_over = True
        if self._recording:
            outcome = self._recording.masking.outcome(outcome)
            self._recording.end()
        if outcome.state is RunState.CANCELLED and self._is_lost:
            return replace(outcome, state=RunState.LOST)
        return outcome

    def _retry_in_s(self, outcome: Outcome) -> float | None:
        """In how many seconds it is tried again after such an end, or None. Nobody has asked for a
        run to end that ends with its agent: that is judged as one whose host died."""
        if outcome.state is RunState.SUCCESS:
            return None
        if outcome.state is RunState.CANCELLED and (outcome.reason or "").startswith(STOPPED):
            outcome = replace(outcome, state=RunState.LOST)
        return self.policy.retry_in_s(outcome, self.claim.begun)

    def _run(self) -> Outcome:
        failpoint("agent.before_start")
        means = self._means
        what, options = self._plan.read(self.claim, means.rq)
        if self._stop_reason is None or means.gate.trusts_keys_alone:
            means.gate.check(self.claim, what, options, self.policy.retries)
        options = self._options = with_secrets(options, means.secrets)
        if options.secret:
            self._record()
        self.attempt.record(self.write, self._masked)
        write = self.write
        if isinstance(what, Function) and not options.process:
            thread = ThreadRun(what, options, self.attempt, write)
            began_s = time.monotonic()
            outcome = self._carry_out(thread, write)
            self.took_s = time.monotonic() - began_s
            self._program = (
                None  # which knows us: what is known in a circle is garbage to be sought
            )
            return self._cancelled(outcome)
        with means.listener.serving(self.attempt) as variables:
            if traceparent := means.traceparent(self.claim, options.traceparent):
                variables[TRACEPARENT] = traceparent
            id, groups, pool = self.claim.id, means.groups, means.pool
            if isinstance(what, RqCall):
                job = RqRun(what, means.rq.worker, variables, write, groups, pool)
                return self._rq_ended(job, self._carry_out(job, write))
            if isinstance(what, Function):
                function = FunctionRun(id, what, options, variables, write, groups, pool)
                return self._carry_out(function, write)
            program = ProgramRun(id, what.argv, options, variables, write, groups)
            began_s = time.monotonic()
            outcome = self._carry_out(program, write)
            self.took_s = time.monotonic() - began_s
            return outcome if program.pid is None else self.policy.judge(outcome)

    def write(self, stream: Stream, data: Data) -> None:
        recording = self._recording or self._record()
        if recording:
            recording.write(stream, data)

    def _masked(self, text: str) -> str:
        return self._recording.masking.text(text) if self._recording else text

    def _record(self) -> Recording | None:
        """What takes in what it writes, from the first byte on; with secrets, before that. None
        where it is over."""
        with self._lock:
            if self._recording is None and not self._is_over:
                claim, means, options = self.claim, self._means, self._options
                self.output = self.output or means.output(claim.id, claim.attempt)
                secrets = _secret_values(options)
                self._recording = Recording(
                    claim, options, secrets, self.output, means.logs, means.host
                )
            return self._recording

    def _rq_ended(self, job: RqRun, outcome: Outcome) -> Outcome:
        if outcome.state is not RunState.CANCELLED or self._is_lost:
            return outcome
        if outcome.reason == STOPPED:
            # Nobody has stopped the job: RQ would try it again, if it may be.
            return replace(outcome, state=RunState.FAILED)
        return job.stopped(outcome)

    def _carry_out(self, program: ProgramRun | ThreadRun, write: Writer) -> Outcome:
        if isinstance(program, ProgramRun):
            program.on_timeout = self.attempt.cancel
        self._program = program
        if self._stop_reason is not None:
            program.stop(self._stop_reason, at_once=self._at_once)
        outcome = program.run()
        if isinstance(program, ProgramRun) and program.pid is None:
            if outcome.state is RunState.FAILED:
                # What could not be started says so in its output too.
                write(Stream.STDERR, f"{outcome.reason}\n".encode())
        return outcome

    def _cancelled(self, outcome: Outcome) -> Outcome:
        """The outcome of a function in a thread: cancelled, where it was asked to stop, with what
        it returned or raised all the same."""
        reason = self._stop_reason
        if reason is None or self._is_lost or outcome.state is RunState.CANCELLED:
            return outcome
        if outcome.state is RunState.FAILED:
            reason = f"{reason}; it ended with {outcome.reason}"
        return replace(outcome, state=RunState.CANCELLED, exit_code=None, reason=reason)


def _secret_values(options: Options) -> dict[str, str]:
    """Where the values of secrets are looked up: as in the environment of the run."""
    if not options.secret:
        return {}
    file: dict[str, str] = {}
    if options.env_file:
        try:
            file = read_env_file(options.env_file, options.cwd)
        except EnvFileUnreadable:
            pass  # the start fails by it, and says so
    return {**os.environ, **file, **options.env}
