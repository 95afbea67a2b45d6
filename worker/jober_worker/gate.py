"""The gate of a host: what it refuses to run, by keys, by its allow-list, and by its own
judgement."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jober.errors import DefinitionError
from jober.logs import about_run
from jober.run import Claim
from jober_worker.allow import AllowList, Wanted
from jober_worker.call import Function, Options, Program, RqCall
from jober_worker.functions import resolve
from jober_worker.refused import Refused

if TYPE_CHECKING:
    # Loaded where a host has keys.
    from jober_worker.trust import Trust

log = logging.getLogger(__name__)

# How long a filter may think, and how many calls that never came back are borne with.
ANSWER_S = 5.0
HANGING_AT_MOST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a filter is asked about. `queue` says what the run asks for, `roles` are the host's;
    `kind` is callable, command, module or script, and `name` which; `args` are its arguments (of a
    command, the words after the program). Of a pickled RQ job, a `pickle`, no more
    is known."""

    run: str
    job: str | None
    attempt: int
    trigger: str
    fire_at: str | None  # ISO text
    queue: str
    host: str
    roles: frozenset[str]
    kind: str
    name: str
    args: tuple[Any, ...]


class Gate:
    """Asked before each run, by many threads. Raises DefinitionError where its filter cannot be
    had."""

    def __init__(
        self,
        allow: AllowList,
        filter: str | None,
        host: str,
        roles: Callable[[], frozenset[str]],
        trust: "Trust | None" = None,
    ) -> None:
        self._allow = allow
        self._name = filter
        self._host = host
        self._roles = roles
        self._filter = find_filter(filter) if filter else None
        self._trust = trust
        self._is_open = self._filter is None and not allow.lists and trust is None
        self._lock = threading.Lock()
        self._hanging = 0

    @property
    def is_open(self) -> bool:
        """Whether it refuses nothing."""
        return self._is_open

    @property
    def trusts_keys_alone(self) -> bool:
        """Whether what nobody has signed is to be refused even where it is to stop: its end may
        call something too."""
        return self._trust is not None

    def check(
        self, claim: Claim, what: Program | Function | RqCall, options: Options, retries: int = 0
    ) -> None:
        """Whether it may begin, once more of so many `retries`. Raises Refused."""
        if self._is_open:
            return
        if self._trust is not None:
            self._trust.check(claim, what, retries)
        wanted = _wanted(claim, what, options)
        if reason := self._allow.refusal(wanted):
            raise Refused(reason, here=False)
        if self._filter is None:
            return
        args = what.argv[1:] if isinstance(what, Program) else what.args
        offer = Offer(
            run=claim.id,
            job=claim.job,
            attempt=claim.attempt,
            trigger=claim.work.trigger,
            fire_at=claim.fire_at,
            queue=claim.work.queue,
            host=self._host,
            roles=self._roles(),
            kind=wanted.kind,
            name=wanted.name,
            args=args,
        )
        if reason := self._ask(self._filter, offer):
            raise Refused(reason, here=True)

    def _ask(self, filter: Callable[[Offer], object], offer: Offer) -> str | None:
        """Why it is refused; None where it is not. One that fails, or does not answer, refuses."""
        if self._hanging >= HANGING_AT_MOST:
            return f"the filter {self._name} of {self._host} hangs"
        answer: list[object] = []
        failure: list[Exception] = []

        def ask() -> None:
            try:
                answer.append(filter(offer))
            except Exception as error:
                extra = about_run(offer.run, offer.job)
                log.exception("the filter %s failed at %s", self._name, offer.run, extra=extra)
                failure.append(error)
            with self._lock:
                if late:
                    self._hanging -= 1

        late: list[bool] = []
        thread = threading.Thread(target=ask, name="filter", daemon=True)
        thread.start()
        thread.join(ANSWER_S)
        with self._lock:
            if not answer and not failure:
                late.append(True)
                self._hanging += 1
        who = f"the filter {self._name} of {self._host}"
        if failure:
            return f"{who} failed: {type(failure[0]).__name__}: {failure[0]}"
        if not answer:
            return f"{who} gave no answer in {ANSWER_S:g} s"
        if answer[0] is True:
            return None
        return f"{who} said no" if answer[0] is False else f"{who} said neither True nor False"


def find_filter(name: str) -> Callable[[Offer], object]:
    """The function. Raises DefinitionError where it cannot be had."""
    try:
        return resolve(name)
    except Exception as error:
        raise DefinitionError(
            f"{name} cannot be had: {type(error).__name__}: {error}",
            field="filter",
            value=name,
            mend="name a function as pkg.mod:func that this worker can import",
        ) from None


def _wanted(claim: Claim, what: Program | Function | RqCall, options: Options) -> Wanted:
    argv: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    if isinstance(what, Program):
        kind, name, argv = what.kind, what.name, what.argv
    elif isinstance(what, Function):
        kind, name = ("script", what.file) if what.file else ("callable", what.name)
    else:
        kind, name = ("callable", what.name) if what.name else ("pickle", "a pickled call")
        also = what.callbacks
    return Wanted(
        kind=kind,
        name=name,
        argv=argv,
        also=also,
        job=what.job if isinstance(what, Function) and what.job else claim.job,
        user=options.user,
        group=options.group,
        cwd=options.cwd,
        env_file=options.env_file,
        env=options.env,
    )
