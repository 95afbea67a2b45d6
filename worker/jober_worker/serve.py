"""The life of an agent's process: it starts, gives signs of life, and ends as it is told."""

import gc
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Collection

from jober import __version__
from jober.bind import Bind
from jober.errors import JoberError, NewerSchema, RedisUnavailable
from jober.logs import name_node, set_up_logs
from jober.pace import paced_s
from jober.store import Store
from jober.tracing import Source, open_spans
from jober_worker.agent import Agent
from jober_worker.begun import Begun
from jober_worker.belonging import inherit
from jober_worker.guardian import DIED, PARENT_DIED, UNUSABLE
from jober_worker.kernel import MISSING, adopt_orphans
from jober_worker.leaving import abandon, drain
from jober_worker.prints import capture_prints
from jober_worker.processes import kill_descendants
from jober_worker.records import capture_records
from jober_worker.settings import Settings
from jober_worker.traces import Traces

log = logging.getLogger(__name__)

SIGN_S = paced_s(1.0)
# So many objects come up before those are looked for that refer to each other alone.
GARBAGE_AT_MOST = 10_000


class Words:
    """What the process is told: by signals, by Redis.

    Signals come through the pipe that the C handler writes their numbers to. A Python handler
    would not do: the kernel may hand a signal to another thread, and the main one sleeps on.
    """

    def __init__(self, stops: Collection[int]) -> None:
        self._stops = stops
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self.abandon = False

    def hear_signals(self) -> None:
        """Listen to signals from now on. For the main thread."""
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        # Ctrl-C reaches the whole group of the terminal: the guardian passes it on as SIGTERM. It
        # has a handler too, since what is ignored would be ignored by the programs of all runs.
        for number in (signal.SIGTERM, PARENT_DIED, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)

    def tell(self, number: signal.Signals) -> None:
        """As the signal would tell it."""
        os.write(self._write, bytes([number]))

    def heard(self, wait_s: float | None) -> bool:
        """Wait until told to stop, for at most so long; whether it was told."""
        deadline = None if wait_s is None else time.monotonic() + wait_s
        while not self.abandon:
            rest_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._read], [], [], rest_s)[0]:
                return False
            numbers = os.read(self._read, 4096)
            self.abandon = PARENT_DIED in numbers
            if any(number in self._stops for number in numbers):
                break
        return True


def serve(settings: Settings, begun: Begun, sign: int | None) -> int:
    """Be an agent until SIGTERM; writes a byte to `sign` each second, or has no guardian where
    there is none. Returns the exit status."""
    set_up_logs(settings.log_level, settings.log_format)
    if sign is None:
        log.warning(
            "this is not Linux (%s): the agent works for development, without a guardian. Not "
            "promised here: %s",
            sys.platform,
            "; ".join(MISSING),
        )
    words = Words(_stops(sign is not None))
    words.hear_signals()
    adopt_orphans()
    sys.path.insert(0, os.getcwd())
    capture_prints()
    capture_records()
    inherit()
    store = Store(settings.redis)
    agent = Agent(store, settings, begun, lambda: words.tell(signal.SIGTERM))
    name_node(settings.host, agent.id)
    if settings.metrics is not None:
        try:
            _tell_metrics(agent, settings.metrics)
        except (ImportError, JoberError) as error:
            mend = " (pip install 'jober[metrics]')" if isinstance(error, ImportError) else ""
            log.critical("no metrics: %s%s", error, mend)
            return UNUSABLE
    source = Source(program="jober-worker", version=__version__, host=settings.host, node=agent.id)
    spans = open_spans(source, os.environ)
    if spans is not None:
        agent.traces = Traces(store, spans, settings.host, agent.id)
        agent.on_reported.append(agent.traces.reported)
    if sign is not None:
        os.set_blocking(sign, False)
    threading.Thread(
        target=_give_signs, args=(agent, words, sign), name="sign", daemon=True
    ).start()
    told = ""
    while True:
        try:
            agent.start()
            break
        except RedisUnavailable as error:
            if told != (told := str(error)):
                log.warning("waiting for Redis: %s", told)
            if words.heard(1.0):
                return 0
        except NewerSchema as error:
            log.critical("%s", error)
            return UNUSABLE
    # What is there by now stays, and need not be looked through again and again.
    gc.freeze()
    gc.set_threshold(GARBAGE_AT_MOST)
    words.heard(None)
    if words.abandon:
        log.critical("the guardian has died; everything is stopped")
        abandon(agent)
    else:
        drain(agent, words.heard)
    if spans is not None:
        spans.close()
    return 0


def _tell_metrics(agent: Agent, bind: Bind) -> None:
    """Raises JoberError, ImportError."""
    # Loaded where it is wanted: it takes memory, and few hosts ask for it.
    from jober.metrics import serve_metrics
    from jober_worker.meters import Meters

    meters = Meters(agent)
    agent.on_reported.append(meters.reported)

    def is_well() -> str:
        dead = agent.dead_parts()
        return f"{', '.join(dead)} failed for good" if dead else ""

    def is_ready() -> str:
        if not agent.vigil.is_renewed:
            return "Redis does not answer"
        return is_well()

    serve_metrics(bind, meters.registry, is_well, is_ready)


def _stops(guarded: bool) -> set[int]:
    """The signals that mean an end. A guardian passes all on as SIGTERM; without one they come
    here, but for those that nohup has set to be ignored."""
    if guarded:
        return {signal.SIGTERM}
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    return {number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN}


def _give_signs(agent: Agent, words: Words, sign: int | None) -> None:
    while True:
        if dead := agent.dead_parts():
            # The guardian clears up and starts another; where there is none, who started it may.
            log.critical("%s failed for good; the agent gives up", ", ".join(dead))
            if sign is None:
                kill_descendants()
            agent.journal.flush()
            os._exit(DIED)
        try:
            if sign is not None:
                os.write(sign, b".")
        except BlockingIOError:
            pass
        except OSError:
            # Nobody reads them: the guardian is gone, whether or not the kernel could tell.
            words.tell(PARENT_DIED)
            return
        time.sleep(SIGN_S)
