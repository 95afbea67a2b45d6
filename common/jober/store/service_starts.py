"""What a scheduler has ordered of services: it starts none more often than the definition says of
one that fails, and none beside a run that goes on, whatever Redis says of its place."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jober.run import RunState
from jober.service import ServicePolicy
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import text

log = logging.getLogger(__name__)

# Of so many places it is remembered what was started there last.
KEPT = 100_000
# So often in a row it is started anew at once: its host has died, or it was told to move.
AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A run of a place, by the definition that was sealed at `sealed_ms`. `quick` of them have
    come in a row, each before the one before it was healthy."""

    job: str
    place: str
    run: str
    sealed_ms: int
    at_ms: int
    policy: ServicePolicy
    quick: int = 0

    @property
    def may_follow_in_ms(self) -> int:
        """How long after it the next one may be, of the same definition."""
        return self.policy.restart_in_ms(self.quick - AT_ONCE) if self.quick >= AT_ONCE else 0

    def after(self, before: "Start | None") -> "Start":
        """It, where that was the one before."""
        if before is None or before.sealed_ms != self.sealed_ms:
            return self
        if self.at_ms - before.at_ms >= self.policy.healthy_after_ms:
            return self
        return replace(self, quick=before.quick + 1)


class ServiceStarts:
    """Of this process: the next one knows nothing of it."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._last: dict[tuple[str, str], Start] = {}
        self._told: set[tuple[str, str, str]] = set()

    def held_back(self, starts: Sequence[Start]) -> set[str]:
        """The runs that are not to be, as yet. Raises RedisUnavailable."""
        known = [(start, self._last.get((start.job, start.place))) for start in starts]
        following = [(start, before) for start, before in known if before is not None]
        if not following:
            return set()
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for _, before in following:
                pipeline.hget(keys.rq_job(before.run), "state")
            states = pipeline.execute()
        found = set()
        for (start, before), state in zip(following, states, strict=True):
            problem = _problem(start, before, text(state))
            if problem:
                found.add(start.run)
                self._tell(start, before, problem)
        return found

    def note(self, start: Start) -> None:
        """It was made."""
        place = (start.job, start.place)
        if len(self._last) >= KEPT:
            self._last.clear()
        self._last[place] = start.after(self._last.get(place))

    def _tell(self, start: Start, before: Start, problem: str) -> None:
        told = (start.job, start.place, before.run)
        if told in self._told:
            return
        if len(self._told) >= KEPT:
            self._told.clear()
        self._told.add(told)
        log.warning("service %s is not started anew as yet: %s", start.job, problem)


def _problem(start: Start, before: Start, state: str | None) -> str:
    """Why it must not be now; "" where it may."""
    if state in set(RunState) and not RunState(state).is_final:
        return f"{before.run} goes on in its place"
    waited_ms = start.at_ms - before.at_ms
    if start.sealed_ms == before.sealed_ms and waited_ms < before.may_follow_in_ms:
        return f"it was, {before.quick} times in a row"
    return ""
