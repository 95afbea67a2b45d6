"""An agent in a program that has opened a folder: it calls, in threads, the functions that only
that program has. It starts no process, and keeps nothing on the disk.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jober.errors import RedisUnavailable
from jober.roles import check_agent_roles
from jober.run import Outcome, RunState
from jober.store import Store
from jober_worker.agent import Agent
from jober_worker.begun import Begun
from jober_worker.belonging import inherit
from jober_worker.execution import STOPPED
from jober_worker.leaving import give_back
from jober_worker.listener import Listener
from jober_worker.live_attempt import LiveAttempt
from jober_worker.part import Part
from jober_worker.prints import capture_prints
from jober_worker.records import capture_records
from jober_worker.settings import Settings

log = logging.getLogger(__name__)

SLOTS = 10
# How long what is told and reported at the end may take.
LEAVE_S = 2.0

_is_prepared = False


class LocalAgent(Agent):
    """The agent `host` with the one role `role`."""

    def __init__(self, url: str, host: str, role: str, folder: Path) -> None:
        settings = Settings(
            redis=url,
            host=host,
            roles=check_agent_roles([role]),
            slots=SLOTS,
            drain_s=0.0,
            log_level="warning",
            log_dir=folder / "logs",
            log_keep_s=0.0,
            log_bytes=0,
            journal_dir=folder / "journal",
        )
        super().__init__(Store(url), settings, Begun())
        self._means = replace(self._means, listener=_NoListener())

    def start(self) -> None:
        """Register, and start the parts. Raises RedisUnavailable."""
        self.store.observe_time()
        self.obey(self.store.agents.join(self.info(), self.queues()))
        for part in self._parts():
            part.start()

    def heed(self) -> None:
        """See to it that what functions print and log is told apart, from now on."""
        global _is_prepared
        capture_prints()
        if not _is_prepared:
            _is_prepared = True
            capture_records()
            inherit()

    def stop(self) -> None:
        """Ask what runs to stop, report what there is, and leave; what goes on in a thread is left
        behind."""
        self.draining.set()
        self.fetcher.stop(LEAVE_S)
        give_back(self)
        self.held.stop_all(STOPPED, at_once=True)
        self.held.wait_executed(LEAVE_S / 4)
        for execution in self.held.executions():
            self.ended(execution, Outcome(state=RunState.CANCELLED, reason=STOPPED))
        self.held.wait_reported(LEAVE_S)
        self.progress.stop()
        self.control.stop()
        self.renewer.stop()
        self.pump.stop(LEAVE_S / 4)
        self.reporter.stop(LEAVE_S / 4)
        try:
            self.store.agents.leave(self.id)
        except RedisUnavailable as error:
            log.warning("could not leave in order: %s", error)
        self.store.close()

    def _parts(self) -> list[Part]:
        return [
            self.progress.part,
            self.pump.part,
            self.reporter.part,
            self.renewer.part,
            self.reserve.part,
            self.control.part,
            self.fetcher.part,
        ]


class _NoListener(Listener):
    """A function in a thread has no process that would be told."""

    def tell_cancelled(self, attempt: LiveAttempt) -> None:
        """It sees it for itself."""


def start(url: str, host: str, role: str, folder: Path) -> tuple[Callable[[], None], ...]:
    """Start one; what to call before a function is handed to it, and at the end."""
    agent = LocalAgent(url, host, role, folder)
    agent.start()
    return agent.heed, agent.stop
