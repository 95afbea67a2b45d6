"""What happens in the fleet, as it is told: one event after another, or by calls back."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from jober.agent_info import AgentInfo, LeaderInfo
from jober.client.access import Access
from jober.client.arguments import checked
from jober.client.giving_up import patiently
from jober.clock import iso
from jober.errors import DefinitionError, RedisUnavailable, did_you_mean
from jober.event import EVENT_KINDS, EVENT_TYPES, Event, is_wanted
from jober.page import Page
from jober.run import Run
from jober.store import Store

if TYPE_CHECKING:
    from jober.embedded.member import Membership

log = logging.getLogger(__name__)

# How often a listener looks whether it is to end, and for a Redis that is away.
LOOK_S = 0.5
# How long the end waits for a callback that goes on.
END_S = 10.0
# A page of events looks at so many, some at a time, for those that are wanted.
LOOKED_THROUGH = 5_000
LOOK_AT = 500

Callback = Callable[[Event], object]
Away = Callable[[bool], object]
Back = TypeVar("Back", bound=Callback)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How things are as events begin: who leads, the live agents, the runs that they have taken.

    `id` is the place in the log up to which it holds at least: an event that follows may be of
    something that is seen here already. Where `after` was asked for, `lost` tells that the log has
    not kept all since: this stands in the place of what is missing.
    """

    id: str
    at_ms: int
    lost: bool
    leader: LeaderInfo | None
    agents: tuple[AgentInfo, ...]
    running: tuple[Run, ...]
    type: Literal["snapshot"] = "snapshot"

    def to_dict(self) -> dict[str, object]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "id": self.id,
            "type": self.type,
            "at": iso(self.at_ms),
            "lost": self.lost,
            "leader": self.leader.to_dict() if self.leader else None,
            "agents": [agent.to_dict() for agent in self.agents],
            "running": [run.to_dict() for run in self.running],
        }


class Subscription:
    """One callback; `stop` ends it."""

    def __init__(
        self, types: tuple[str, ...], callback: Callback, after: str, away: Away | None
    ) -> None:
        self.types = types
        self._callback = callback
        self._away = away
        # A number of the log, so that nothing is told twice or from before it was asked for.
        self._after = place(after)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """No further event is told to it; one that is being told just now may go on."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def tell(self, event: Event) -> None:
        """Call back, where the event is one of those wanted."""
        if self.is_stopped or place(event.id) <= self._after:
            return
        self._after = place(event.id)
        if is_wanted(event, self.types):
            try:
                self._callback(event)
            except Exception:
                log.exception("a callback for %s has failed", ", ".join(self.types))

    def tell_away(self, is_away: bool) -> None:
        """Call back with whether Redis is away, where that is wanted."""
        if self._away is not None and not self.is_stopped:
            try:
                self._away(is_away)
            except Exception:
                log.exception("a callback for a Redis that is away has failed")


class Happenings(Access):
    """The events."""

    def __init__(self, store: Store, membership: "Membership | None" = None) -> None:
        super().__init__(store, membership)
        self._subscriptions: list[Subscription] = []
        self._listener: threading.Thread | None = None
        self._listening = threading.Lock()
        self._to_end = threading.Event()

    @checked
    def recent_events(self, limit: int = 100) -> list[Event]:
        """The newest `limit` events of those that are kept (10,000 or so), newest first."""
        return self.store.events.newest(limit)

    @checked
    def event_page(
        self,
        *types: str,
        name: str | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """A page of events, newest first: those before the one with the id `before`, which is the
        `next` of the page before; of these `types`, as `on` takes them, and of one job. It looks
        at some thousands at the most, so that it may be short and have a next one."""
        wanted = check_types(types)
        if before is not None and place(before, "before") == (0, 0):
            return Page(items=(), next=None)
        found: list[Event] = []
        for _ in range(LOOKED_THROUGH // LOOK_AT):
            page = self.store.events.newest(LOOK_AT, before)
            for event in page:
                if is_wanted(event, wanted) and name in (None, event.job):
                    if len(found) == limit:
                        return Page(items=tuple(found), next=before)
                    found.append(event)
                before = event.id
            if len(page) < LOOK_AT:
                return Page(items=tuple(found), next=None)
        return Page(items=tuple(found), next=before)

    @checked
    def events_after(self, after: str, limit: int = 100) -> list[Event] | None:
        """The events after the one with the id `after`, oldest first, so many of them; None where
        the log has lost some since (then see `snapshot`)."""
        place(after)
        if self.store.events.has_lost(after):
            return None
        return self.store.events.after(after, limit)

    def snapshot(self, *, lost: bool = False) -> Snapshot:
        """How things are now: who leads, the agents, what runs. `lost` is passed on in it: whether
        whoever asks has missed events."""
        return self._snapshot(lost)

    @checked
    def events(
        self,
        *types: str,
        after: str | None = None,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[Event | Snapshot]:
        """Events as they happen, in order: first a Snapshot, then what follows it, without an end.

        `types` are those wanted, as `on` takes them (default: all), `name` the one job. With
        `after`, the id of an event, it goes on after that one, and a Snapshot comes only where the
        log has lost some since. With `timeout` it ends when nothing was told for so many seconds.
        """
        wanted = check_types(types)
        if after is not None:
            place(after)
        return self._events(wanted, after, name, timeout)

    def _events(
        self, wanted: tuple[str, ...], after: str | None, name: str | None, timeout: float | None
    ) -> Iterator[Event | Snapshot]:
        if after is None or self.store.events.has_lost(after):
            first = self._snapshot(lost=after is not None)
            after = first.id
            yield first
        monotonic = self.store.clock.monotonic
        told_at = monotonic()
        wait_s = LOOK_S if timeout is None else min(LOOK_S, max(0.001, timeout))
        for event in patiently(self.store.events.follow(after, wait_s)):
            if event is not None:
                if is_wanted(event, wanted) and name in (None, event.job):
                    yield event
                    told_at = monotonic()
            elif timeout is not None and monotonic() - told_at >= timeout:
                return

    def _snapshot(self, lost: bool) -> Snapshot:
        # The place first: what happens while the rest is read comes again as an event.
        id = self.store.events.last_id()
        self.store.observe_time()
        running = self.store.runs.found(self.store.live_runs.held())
        return Snapshot(
            id=id,
            at_ms=self.store.clock.now_ms(),
            lost=lost,
            leader=self.store.leader.current(),
            agents=tuple(self.store.agents.live()),
            running=tuple(running.values()),
        )

    @overload
    def on(self, type: str, *, away: Away | None = None) -> Callable[[Back], Back]: ...

    @overload
    def on(self, type: str, callback: Callback, *, away: Away | None = None) -> Subscription: ...

    def on(self, type: str, callback: Callback | None = None, *, away: Away | None = None) -> Any:
        """Call back for each event of the type from now on: `j.on("run.finished", f)`, or above a
        function, `@j.on("run.finished")`. Returns the Subscription, or above a function that.

        A type is one of `jober.event.EVENT_TYPES`; `"run.*"` for all that begin so, `"*"` for all;
        or a kind: "start", "finish", "error" (a run that ended badly), "missed" (a fire or a run),
        "leader", "agents". Callbacks are called one after another in a thread of this Jober, in the
        order of the events, until it is closed; one that raises is logged, and goes on.

        `away` is called there with True where Redis does not answer, and with False once it does
        again; the events of meanwhile follow.
        """
        wanted = check_types([type])
        if callback is not None:
            return self._subscribe(wanted, callback, away)

        def decorate(function: Back) -> Back:
            self._subscribe(wanted, function, away)
            return function

        return decorate

    def _subscribe(
        self, types: tuple[str, ...], callback: Callback, away: Away | None
    ) -> Subscription:
        with self._listening:
            after = self.store.events.last_id()
            subscription = Subscription(types, callback, after, away)
            self._subscriptions.append(subscription)
            if self._listener is None:
                self._listener = threading.Thread(
                    target=self._listen, args=(after,), name="jober-events", daemon=True
                )
                self._listener.start()
        return subscription

    def _listen(self, after: str) -> None:
        """Tell all subscriptions, until the end. While Redis is away it tries on."""
        is_away = False
        while not self._to_end.is_set():
            try:
                for event in self.store.events.follow(after, LOOK_S):
                    if is_away:
                        is_away = False
                        self._tell(lambda one: one.tell_away(False))
                    if event is not None:
                        after = event.id
                        self._tell(partial(Subscription.tell, event=event))
                    if self._to_end.is_set():
                        return
            except RedisUnavailable as error:
                if not is_away:
                    log.warning("events wait for Redis: %s", error)
                    is_away = True
                    self._tell(lambda one: one.tell_away(True))
                self._to_end.wait(LOOK_S)

    def _tell(self, tell: Callable[[Subscription], None]) -> None:
        with self._listening:
            self._subscriptions = [one for one in self._subscriptions if not one.is_stopped]
            subscriptions = list(self._subscriptions)
        for one in subscriptions:
            tell(one)

    def _end_events(self) -> None:
        """No callback is called after this, unless one goes on for longer than it waits."""
        self._to_end.set()
        for one in self._subscriptions:
            one.stop()
        listener = self._listener
        if listener is not None and listener is not threading.current_thread():
            listener.join(END_S)


def place(id: str, field: str = "after") -> tuple[int, int]:
    """The place in the log of the event with that id. Raises DefinitionError."""
    at, _, number = id.partition("-")
    # Redis bears no greater ones.
    if not all(one.isascii() and one.isdecimal() and len(one) <= 18 for one in (at, number or "0")):
        raise DefinitionError(
            f"{id!r:.60} is not the id of an event", field=field, value=id, mend=f"{field}=event.id"
        )
    return int(at), int(number or 0)


def check_types(types: Sequence[Any]) -> tuple[str, ...]:
    """The types of events that are wanted, as `on` takes them. Raises DefinitionError."""
    for type in types:
        known = isinstance(type, str) and (
            type in EVENT_TYPES
            or type in EVENT_KINDS
            or (type.endswith("*") and any(one.startswith(type[:-1]) for one in EVENT_TYPES))
        )
        if not known:
            near = did_you_mean(str(type)[:100], [*EVENT_TYPES, *EVENT_KINDS])
            raise DefinitionError(
                f"{type!r:.60} is no type of events{near}",
                field="types",
                value=type,
                mend='"run.finished", "run.*", "error", …: see jober.event.EVENT_TYPES',
            )
    return tuple(types)
