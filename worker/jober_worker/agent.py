"""The agent: claims runs of its roles, executes them, keeps their leases, reports their ends."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from jober import __version__, roles
from jober.agent_info import AgentInfo, HostOrders
from jober.failpoint import failpoint
from jober.ids import agent_id
from jober.run import Claim, Outcome
from jober.secret_file import Secrets
from jober.store import Store
from jober.store.host_logs import read_asked
from jober.store.report import Finish
from jober_worker.ahead import Ahead
from jober_worker.begun import Begun
from jober_worker.call import RqTerms
from jober_worker.cgroups import Groups
from jober_worker.control import Control
from jober_worker.execution import Execution, Means
from jober_worker.fetcher import Fetcher
from jober_worker.gate import Gate
from jober_worker.holdings import Holdings
from jober_worker.journal import Journal, untellable
from jober_worker.leftovers import clear_leftovers, mark
from jober_worker.listener import Listener
from jober_worker.log_folder import LogFolder
from jober_worker.log_keeper import LogKeeper
from jober_worker.part import Part
from jober_worker.plan import Plans
from jober_worker.progress_sender import ProgressSender
from jober_worker.pump import Pump
from jober_worker.records import about
from jober_worker.renewer import Renewer
from jober_worker.replayer import Replayer
from jober_worker.reporter import Reporter
from jober_worker.reserve import Reserve
from jober_worker.rq_batches import RqBatches
from jober_worker.runners import Runners
from jober_worker.settings import Settings
from jober_worker.slots import Slots
from jober_worker.sweeper import Sweeper, running
from jober_worker.traces import Traces
from jober_worker.trust import trust_of
from jober_worker.vigil import Vigil
from jober_worker.warm import WarmPool

log = logging.getLogger(__name__)


class Agent:
    """One agent: the parts, and the runs that it has (`held`)."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        begun: Begun,
        shut_down: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.settings = settings
        self._shut_down = shut_down
        self.on_reported: list[Callable[[Sequence[Finish]], None]] = []
        self.traces: Traces | None = None
        self.id = agent_id(settings.host)
        self.draining = threading.Event()
        # The roles that it has now, and whether its host may take runs: an operator may order both.
        self.roles = settings.roles
        self.trust = trust_of(store, settings, lambda: self.roles)
        self._gate = Gate(
            settings.allow, settings.filter, settings.host, lambda: self.roles, self.trust
        )
        self._refused_roles: frozenset[str] = frozenset()
        self.open = threading.Event()
        self.open.set()
        self.begun = begun
        self.held = Holdings(begun)
        self.slots = Slots(settings.slots)
        self.ahead = Ahead(settings.slots)
        self.runners = Runners(settings.slots, self._execute)
        groups = Groups(mark())
        self.warm = WarmPool(groups, settings.slots)
        rq = RqTerms(url=settings.redis, worker=self.id, accept_pickle=settings.accept_pickle)
        self.pump = Pump(store)
        logs = LogFolder(settings.log_dir)
        self.log_keeper = LogKeeper(store, logs, settings.log_keep_s, settings.log_bytes)
        self.journal = Journal(settings.journal_dir, settings.redis, self.id)
        self.replayer = Replayer(store, settings.journal_dir)
        self.reporter = Reporter(store, self.id, self._reported)
        self.progress = ProgressSender(store)
        self.listener = Listener()
        self._means = Means(
            host=settings.host,
            gate=self._gate,
            listener=self.listener,
            logs=logs,
            begun=begun,
            groups=groups,
            pool=self.warm,
            rq=rq,
            plans=Plans(rq),
            secrets=Secrets(program="jober-worker", folders=settings.secrets, environ=os.environ),
            output=self.pump.output,
            now_ms=store.clock.now_ms,
            on_progress=self.progress.notice,
            traceparent=self._traceparent,
        )
        self.batches = RqBatches(
            settings.slots, self._means, self.ahead, self.runners.put, self._all_over
        )
        self.fetcher = Fetcher(self)
        self.reserve = Reserve(self)
        self.vigil = Vigil(self)
        self.renewer = Renewer(self)
        self.control = Control(store, self.id, self._command)
        self.sweeper = Sweeper(lambda: running(self.warm, self.held.executions()))

    def info(self) -> AgentInfo:
        """What the agent tells of itself."""
        return AgentInfo(
            id=self.id,
            host=self.settings.host,
            pid=os.getpid(),
            roles=self.roles,
            own_roles=self.settings.roles,
            slots=self.settings.slots,
            version=__version__,
            state=self._state(),
            running=self.held.running(),
            allows="listed" if self.settings.allow.is_strict else "anything",
            trusts=self.settings.trusts,
        )

    def _state(self) -> str:
        if self.draining.is_set():
            return "draining"
        return "up" if self.open.is_set() else "cordoned"

    def obey(self, orders: HostOrders) -> None:
        """Do as is ordered of the host, from now on, and tell it. Raises RedisUnavailable."""
        if self._heed(orders):
            self.store.agents.join(self.info(), self.queues())
            self.fetcher.refresh()

    def _heed(self, orders: HostOrders) -> bool:
        """Take the orders on; whether that gives it other roles."""
        if orders.cordoned is self.open.is_set():
            log.info("the host is %s", "cordoned" if orders.cordoned else "uncordoned")
        if orders.cordoned:
            self.open.clear()
        else:
            self.open.set()
        wanted = self.settings.roles if orders.roles is None else orders.roles
        allowed = self.settings.roles_of(wanted)
        if wanted != allowed and wanted != self._refused_roles:
            self._refused_roles = wanted
            log.warning(
                "%s does not allow the roles %s, which were ordered",
                self.settings.allow.file or "an agent that believes keys alone",
                ", ".join(sorted(wanted - allowed)),
            )
        wanted = allowed
        if wanted == self.roles:
            return False
        log.info("the roles are %s now", ", ".join(sorted(wanted)))
        self.roles = wanted
        return True

    def queues(self) -> list[str]:
        """The queues it serves, in the order in which it takes from them."""
        return self.served(self.store.agents.queues())

    def served(self, queues: Sequence[str]) -> list[str]:
        """The same, of these."""
        return roles.served(queues, self.roles, self.settings.host)

    def dead_parts(self) -> list[str]:
        """The parts that have failed for good; an agent with one is to be replaced."""
        return [part.name for part in self._parts() if part.is_dead]

    def start_runs(self, claims: Sequence[Claim]) -> None:
        """Begin claimed runs in threads of their own. Raises nothing, and asks nobody."""
        executions = [Execution(claim, self._means) for claim in claims]
        self.held.take(executions)
        self.slots.take(sum(claim.work.weight for claim in claims))
        alone: list[Execution] = []
        batched: list[Execution] = []
        for one in executions:
            (batched if one.claim.record and one.batched else alone).append(one)
        if alone:
            self.runners.put(alone)
        if batched:
            self.batches.put(batched)
        if any(claim.reserved for claim in claims):
            self.reserve.want()

    def take_back(self) -> list[Execution]:
        """The reserved runs that were not begun; they will not be, and we answer for them no more:
        as soon as they are given back, the same attempt may be ours again."""
        taken = self.runners.take_back()
        taken += self.batches.take_back(taken)
        self.held.over(taken)
        self.held.forget([execution.lease for execution in taken])
        self.slots.release(sum(execution.claim.work.weight for execution in taken))
        return taken

    def _execute(self, execution: Execution) -> None:
        if execution.service:
            self.vigil.end_older(execution)
        if not execution.claim.record or not self.batches.perform(execution):
            self._all_over([(execution, execution.run())])

    def _all_over(self, ends: Sequence[tuple[Execution, Outcome]]) -> None:
        """They have ended so, and hold their slots no more."""
        failpoint("agent.ended")
        weight = 0
        for execution, _ in ends:
            if execution.attempt.newest:
                self.progress.forget(execution.attempt)
            if execution.took_s is not None:
                self.ahead.took(execution.took_s)
            if execution.may_leave:
                self.sweeper.want()
            weight += execution.claim.work.weight
        self.held.over([execution for execution, _ in ends])
        self.slots.release(weight)
        self.fetcher.slot_freed()
        self.reporter.put([finish for end in ends if (finish := self.ended(*end))])

    def ended(self, execution: Execution, outcome: Outcome) -> Finish | None:
        """What is to be reported now; None where its output has to be in Redis first. Until that
        is done, the journal has it."""
        try:
            return self._expected(execution, outcome)
        except Exception as error:
            # Something of it cannot be told: the run ends nevertheless, and says so.
            claim = execution.claim
            log.exception("the end of %s cannot be told", claim.id, extra=about(claim))
            return self._expected(execution, untellable(error))

    def _expected(self, execution: Execution, outcome: Outcome) -> Finish | None:
        if log.isEnabledFor(logging.DEBUG):
            claim, told = execution.claim, f": {outcome.reason}" if outcome.reason else ""
            extra = {**about(claim), "state": str(outcome.state)}
            log.debug("%s ended as %s%s", claim.lease, outcome.state, told, extra=extra)
        output = execution.output
        finish = execution.finish(outcome)
        self.journal.expect(finish, output)
        if output is None:
            return finish
        output.close(lambda: self.reporter.put([replace(finish, last_seq=output.last_seq)]))
        return None

    def _reported(self, finishes: Sequence[Finish]) -> None:
        leases = [finish.claim.lease for finish in finishes]
        self.journal.reported(leases)
        self.held.forget(leases)
        for tell in self.on_reported:
            tell(finishes)

    def _traceparent(self, claim: Claim, callers: str | None) -> str | None:
        return callers if self.traces is None else self.traces.place_of(claim, callers)

    def start(self) -> None:
        """Register, and start the parts. Raises RedisUnavailable, and NewerSchema."""
        clear_leftovers()
        self.journal.open()
        if self.trust is not None:
            self.trust.open()
        self.store.observe_time()
        self.store.check_schema()
        self.reserve.take_over()
        # Read first, so that nobody ever sees it with roles that it is not to have.
        self._heed(self.store.agents.orders().get(self.settings.host, HostOrders()))
        self.obey(self.store.agents.join(self.info(), self.queues()))
        log.info(
            "agent %s: roles %s, %d slots",
            self.id,
            ", ".join(sorted(self.roles)),
            self.settings.slots,
        )
        failpoint("agent.joined")
        self.listener.open()
        for part in self._parts():
            part.start()

    def _parts(self) -> list[Part]:
        return [
            self.sweeper.part,
            self.warm.part,
            self.listener.part,
            self.progress.part,
            self.pump.part,
            self.log_keeper.part,
            self.journal.part,
            self.replayer.part,
            self.reporter.part,
            self.renewer.part,
            self.reserve.part,
            self.vigil.part,
            self.control.part,
            self.fetcher.part,
        ]

    def _command(self, command: dict[str, Any]) -> None:
        """Obey a command that was published for it, RQ's own among them."""
        match command.get("command"):
            case "stop-job":
                self.held.stop_run(
                    str(command.get("job_id")), str(command.get("reason", "cancelled"))
                )
            case "shutdown":
                log.info("told to shut down")
                self._shut_down()
            case "queues":
                self._queues_came(command.get("queues"))
            case "orders":
                self.renewer.tell()
            case "log":
                if asked := read_asked(command):
                    self.log_keeper.ask(asked)

    def _queues_came(self, names: object) -> None:
        """Where they are named, only those that it serves concern it."""
        if isinstance(names, list):
            came = [name for name in names if isinstance(name, str)]
            if mine := set(came) & set(self.served(came)):
                self.fetcher.refresh(mine)
        else:
            self.fetcher.refresh()
