"""How an agent leaves: in order, or in a hurry."""

import logging
import time
from collections.abc import Callable

from jober.errors import RedisUnavailable
from jober.failpoint import failpoint
from jober.run import Outcome, RunState
from jober_worker.agent import Agent
from jober_worker.execution import STOPPED
from jober_worker.processes import kill_descendants

log = logging.getLogger(__name__)

# After the drain, runs are stopped and have so long to end: their grace, at the most this.
STOP_S = 15.0
# After that they are killed, and have so long.
KILL_S = 2.0
# How long ended runs may take to be reported, at the end.
REPORT_S = 5.0


def drain(agent: Agent, told: Callable[[float], bool]) -> None:
    """Take no new runs; let those that run end, or stop them when the time is over; report
    what there is to report; leave in order.

    `told(s)` waits for at most `s` seconds for a sign of hurry, and tells whether it came:
    after one they are stopped at once, after another killed.
    """
    agent.draining.set()
    agent.fetcher.stop(2.0)
    give_back(agent)
    agent.renewer.tell()
    for execution in agent.held.executions():
        if execution.service:  # it would never end, and may run elsewhere
            execution.stop(STOPPED)
    if not _wait_idle(agent, agent.settings.drain_s, told):
        agent.held.stop_all(STOPPED)
    if not _wait_idle(agent, STOP_S, told):
        agent.held.stop_all(STOPPED, at_once=True)
    _leave(agent, KILL_S, REPORT_S)


def abandon(agent: Agent) -> None:
    """Kill all that runs, now; then report and leave in order, but quickly."""
    agent.held.stop_all(STOPPED, at_once=True)
    agent.draining.set()
    # Nobody comes after us who would end what the runs have left: all below us goes.
    kill_descendants()
    agent.fetcher.stop(0.0)
    give_back(agent)
    _leave(agent, 0.5, 0.5)
    kill_descendants()


def give_back(agent: Agent) -> None:
    """Give back what it has reserved and will not begin; where Redis is away, its lease ends."""
    agent.reserve.stop()
    try:
        agent.reserve.give_back()
    except RedisUnavailable as error:
        log.warning("what was reserved goes back when its lease is over: %s", error)


def _wait_idle(agent: Agent, wait_s: float, told: Callable[[float], bool]) -> bool:
    """Wait until nothing runs; False when the time is over, or somebody is in a hurry."""
    deadline = time.monotonic() + wait_s
    while agent.held.running():
        if time.monotonic() >= deadline or told(0.05):
            return False
    return True


def _leave(agent: Agent, kill_s: float, report_s: float) -> None:
    agent.held.wait_executed(kill_s)
    # A function in a thread, which cannot be stopped, ends with the agent.
    cancelled = Outcome(state=RunState.CANCELLED, reason=STOPPED)
    unended = [agent.ended(execution, cancelled) for execution in agent.held.executions()]
    agent.reporter.put([finish for finish in unended if finish])
    agent.warm.close()
    agent.sweeper.stop()
    agent.sweeper.sweep()
    agent.held.wait_reported(report_s)
    agent.fetcher.stop(0.0)
    agent.listener.close()
    agent.progress.stop()
    agent.control.stop()
    agent.renewer.stop()
    agent.vigil.stop()
    agent.log_keeper.stop()
    agent.replayer.stop()
    agent.pump.stop(0.5)
    if not agent.reporter.stop(0.5):
        log.warning("%d results could not be reported", len(agent.held.leases()))
    agent.journal.stop()
    if kept := agent.journal.kept():
        log.warning("%d results are kept for the next agent of this host to report", kept)
    failpoint("agent.before_leave")
    try:
        agent.store.agents.leave(agent.id)
        log.info("agent %s has left", agent.id)
    except RedisUnavailable as error:
        log.warning("could not leave in order: %s", error)
