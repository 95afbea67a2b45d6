"""Leadership: one node schedules, the others stand by.

`jober:leader` holds `<term>:<node>` for a lease of 6 seconds. The leader renews it every
2 seconds and trusts it only until the start of the last successful attempt + lease - 1 second,
by its own monotonic clock: a node that was paused, or cut off, steps down before another can be
elected. A standby looks every half second, and once more when the lease ends. A leader that
stops resigns, so that a standby need not wait. In doubt, we do not lead; and every script that
schedules checks the token once more, inside Redis.
"""

import logging
import threading

from jober.errors import RedisUnavailable
from jober.failpoint import failpoint
from jober.pace import paced_ms, paced_s
from jober.store import Store

log = logging.getLogger(__name__)

LEASE_MS = paced_ms(6_000)
RENEW_S = paced_s(2.0)
TRUST_MARGIN_S = paced_s(1.0)
STANDBY_LOOK_S = paced_s(0.5)


class Elector:
    """Keeps or seeks the lead in a thread of its own."""

    def __init__(self, store: Store, node: str) -> None:
        self._store = store
        self._node = node
        self.terms = 0  # how often it was elected
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._token: str | None = None
        self._trusted_until = 0.0
        self._thread = threading.Thread(target=self._run, name="elector", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def token(self) -> str | None:
        """The token of our reign, while it may be trusted; else None."""
        with self._changed:
            if self._store.clock.monotonic() < self._trusted_until:
                return self._token
            return None

    def wait_for_lead(self, wait_s: float) -> str | None:
        """The token as soon as we lead, or None after `wait_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.token() or self._stop.is_set(), wait_s)
            return self.token()

    def stop(self) -> None:
        """Stop seeking, and resign if we lead. Whoever fires must have stopped before."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=10)
        token = self._step_down()
        if token:
            failpoint("leader.before_resign")
            try:
                self._store.leader.resign(token)
                log.info("resigned from term %s", token.split(":", 1)[0])
            except RedisUnavailable as error:
                log.warning("could not resign, the lease will end by itself: %s", error)

    def _run(self) -> None:
        wait, away = 0.0, False
        while not self._stop.wait(wait):
            try:
                wait = self._attempt()
                away = False
            except RedisUnavailable as error:
                if not away:
                    log.warning("cannot renew or seek the lead: %s", error)
                away = True
                wait = STANDBY_LOOK_S

    def _attempt(self) -> float:
        """One attempt to lead; the seconds until the next."""
        started = self._store.clock.monotonic()
        failpoint("scheduler.before_lead")
        reply = self._store.leader.lead(self._node, LEASE_MS)
        if not reply.is_of(self._node):
            if self._step_down():
                log.warning("the lead went to %s", reply.token)
            return min(STANDBY_LOOK_S, max(0.001, reply.left_ms / 1000))
        if reply.elected:
            failpoint("leader.elected")
        self._store.observe_time()
        with self._changed:
            if self._token != reply.token:
                self.terms += 1
                log.info("leading, term %s", reply.token.split(":", 1)[0])
            self._token = reply.token
            self._trusted_until = started + LEASE_MS / 1000 - TRUST_MARGIN_S
            self._changed.notify_all()
        return RENEW_S

    def _step_down(self) -> str | None:
        with self._changed:
            token, self._token, self._trusted_until = self._token, None, 0.0
            return token
