"""The agent: claims runs of its roles, executes them, keeps their leases, reports their ends."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jober import __version__, roles
from jober.agent_info import AgentInfo
from jober.errors import RedisUnavailable
from jober.ids import agent_id
from jober.logs import set_up_logs
from jober.run import Claim, Outcome
from jober.store import Store
from jober.store.leases import Finish
from jober_worker.control import Control
from jober_worker.execution import Execution
from jober_worker.fetcher import Fetcher
from jober_worker.functions import capture_prints
from jober_worker.guardian import PARENT_DIED, adopt_orphans
from jober_worker.pump import Pump
from jober_worker.renewer import Renewer
from jober_worker.reporter import Reporter
from jober_worker.settings import Settings
from jober_worker.sweeper import Running, Sweeper

log = logging.getLogger(__name__)

SIGN_S = 1.0
# After the drain, runs are stopped and have so long to end (their grace, and some).
STOP_S = 15.0


class Agent:
    """One agent: the parts, and the runs that it has. `held` maps a lease to its execution."""

    def __init__(
        self, store: Store, settings: Settings, shut_down: Callable[[], None] = lambda: None
    ) -> None:
        self.store = store
        self.settings = settings
        self._shut_down = shut_down
        self.id = agent_id(settings.host)
        self.draining = threading.Event()
        self._lock = threading.Lock()
        self._held: dict[str, Execution] = {}
        self._executing: set[str] = set()
        self._changed = threading.Condition(self._lock)
        self._pool = ThreadPoolExecutor(settings.slots, thread_name_prefix="run")
        self.pump = Pump(store)
        self.reporter = Reporter(store, self.id, self._reported)
        self.fetcher = Fetcher(self)
        self.renewer = Renewer(self)
        self.control = Control(store, self.id, self._command)
        self.sweeper = Sweeper(self._running)

    def info(self) -> AgentInfo:
        """What the agent tells of itself."""
        return AgentInfo(
            id=self.id,
            host=self.settings.host,
            pid=os.getpid(),
            roles=self.settings.roles,
            slots=self.settings.slots,
            version=__version__,
            state="draining" if self.draining.is_set() else "up",
            running=self.running_count(),
        )

    def queues(self) -> list[str]:
        """The queues it serves: its host's first, then those that its roles match."""
        mine = [
            queue
            for queue in self.store.agents.queues()
            if not roles.is_host_queue(queue) and roles.matches(queue, self.settings.roles)
        ]
        plain = [role for role in sorted(self.settings.roles) if role not in mine]
        return [roles.host_queue(self.settings.host), *mine, *plain]

    def free_slots(self) -> int:
        with self._lock:
            return self.settings.slots - len(self._executing)

    def wait_for_slot(self, wait_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._executing) < self.settings.slots, wait_s)

    def running_count(self) -> int:
        with self._lock:
            return len(self._executing)

    def leases(self) -> list[str]:
        """All it answers for: what it executes, and what it has still to report."""
        with self._lock:
            return list(self._held)

    def start_run(self, claim: Claim) -> None:
        """Begin a claimed run in a thread of its own."""
        execution = Execution(claim, self.settings.host, self.pump.output(claim.id, claim.attempt))
        with self._lock:
            self._held[claim.lease] = execution
            self._executing.add(claim.lease)
        self._pool.submit(self._execute, execution)

    def stop_run(self, run: str, reason: str) -> None:
        """Ask the attempts of a run to stop."""
        self._stop_where(lambda execution: execution.claim.id == run, reason)

    def stop_lease(self, lease: str, reason: str) -> None:
        """Ask one attempt to stop."""
        self._stop_where(lambda execution: execution.claim.lease == lease, reason)

    def stop_all(self, reason: str) -> None:
        self._stop_where(lambda _: True, reason)

    def _stop_where(self, wanted: Callable[[Execution], bool], reason: str) -> None:
        with self._lock:
            found = [
                execution
                for lease, execution in self._held.items()
                if lease in self._executing and wanted(execution)
            ]
        for execution in found:
            execution.stop(reason)

    def _execute(self, execution: Execution) -> None:
        outcome = execution.run(lambda _pid: None, lambda _pid: None)
        has_process = execution.pid is not None
        with self._changed:
            self._executing.discard(execution.claim.lease)
            self._changed.notify_all()
        if has_process:
            self.sweeper.want()
        execution.output.close(lambda: self._report(execution, outcome))

    def _report(self, execution: Execution, outcome: Outcome) -> None:
        self.reporter.put(
            Finish(
                claim=execution.claim,
                host=self.settings.host,
                outcome=outcome,
                last_seq=execution.output.last_seq,
            )
        )

    def _reported(self, finish: Finish) -> None:
        with self._changed:
            self._held.pop(finish.claim.lease, None)
            self._changed.notify_all()

    def _running(self) -> Running:
        with self._lock:
            executions = [self._held[lease] for lease in self._executing]
        return Running(
            runs=frozenset(execution.claim.id for execution in executions),
            roots=frozenset(pid for execution in executions if (pid := execution.pid)),
            starting=any(execution.is_starting for execution in executions),
        )

    def start(self) -> None:
        """Register, and start the parts. Raises RedisUnavailable."""
        self.store.observe_time()
        self.store.agents.join(self.info(), self.queues())
        log.info(
            "agent %s: roles %s, %d slots",
            self.id,
            ", ".join(sorted(self.settings.roles)),
            self.settings.slots,
        )
        for part in self._parts():
            part.start()

    def _parts(self) -> tuple[Sweeper | Pump | Reporter | Renewer | Control | Fetcher, ...]:
        return (
            self.sweeper,
            self.pump,
            self.reporter,
            self.renewer,
            self.control,
            self.fetcher,
        )

    def _command(self, command: dict[str, Any]) -> None:
        """Obey a command that was published for it, RQ's own among them."""
        match command.get("command"):
            case "stop-job":
                self.stop_run(str(command.get("job_id")), "cancelled")
            case "shutdown":
                log.info("told to shut down")
                self._shut_down()
            case "queues":
                self.fetcher.refresh()

    def drain(self, hurry: threading.Event) -> None:
        """Take no new runs; let those that run end, or stop them when the time is over or
        somebody is in a hurry; report what there is to report; leave in order."""
        self.draining.set()
        self.fetcher.stop()
        self.renewer.tell()
        self._wait_idle(self.settings.drain_s, hurry)
        if self.running_count():
            self.stop_all("its agent was stopped")
            self._wait_idle(STOP_S, threading.Event())
        with self._changed:
            self._changed.wait_for(lambda: len(self._held) == len(self._executing), STOP_S)
        self.reporter.stop(5.0)
        self.pump.stop()
        self.control.stop()
        self.renewer.stop()
        self.sweeper.stop()
        self.sweeper.sweep()
        try:
            self.store.agents.leave(self.id)
        except RedisUnavailable as error:
            log.warning("could not leave in order: %s", error)
        log.info("agent %s has left", self.id)

    def _wait_idle(self, wait_s: float, hurry: threading.Event) -> None:
        deadline = time.monotonic() + wait_s
        while self.running_count() and time.monotonic() < deadline and not hurry.is_set():
            with self._changed:
                self._changed.wait(0.1)


def serve(settings: Settings, sign: int) -> int:
    """Be an agent until SIGTERM; writes a byte to `sign` each second. Returns the exit status."""
    set_up_logs(settings.log_level)
    stop, hurry = threading.Event(), threading.Event()

    def on_stop(*_: object) -> None:
        if stop.is_set():
            hurry.set()
        stop.set()

    signal.signal(signal.SIGTERM, on_stop)
    # Ctrl-C reaches the whole group of the terminal: the guardian passes it on as SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    sys.path.insert(0, os.getcwd())
    capture_prints()
    store = Store(settings.redis)
    agent = Agent(store, settings, stop.set)

    def guardian_died(*_: object) -> None:
        log.critical("the guardian has died; stopping everything")
        hurry.set()
        stop.set()

    signal.signal(PARENT_DIED, guardian_died)
    os.set_blocking(sign, False)
    beat = threading.Thread(target=_give_signs, args=(sign,), name="sign", daemon=True)
    beat.start()
    while True:
        try:
            agent.start()
            break
        except RedisUnavailable as error:
            log.warning("waiting for Redis: %s", error)
            if stop.wait(1.0):
                return 0
    stop.wait()
    agent.drain(hurry)
    store.close()
    return 0


def _give_signs(sign: int) -> None:
    while True:
        try:
            os.write(sign, b".")
        except BlockingIOError:
            pass
        except OSError:
            return
        time.sleep(SIGN_S)
