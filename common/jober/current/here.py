"""Which run the calling code belongs to."""

import os
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime

from jober.current.run import CurrentRun
from jober.current.socket_link import SocketLink
from jober.errors import NotInRun

# Made for who asks for it: most runs never do.
_entered: ContextVar[Callable[[], CurrentRun] | None] = ContextVar("jober_run", default=None)
# That of this process, with the part of the environment that it was made from: a process that
# serves one run after another has another each time.
_of_process: tuple[tuple[str, ...], CurrentRun, SocketLink] | None = None

_VARIABLES = (
    "JOBER_RUN_ID",
    "JOBER_ATTEMPT",
    "JOBER_JOB",
    "JOBER_HOST",
    "JOBER_FIRE_AT",
    "JOBER_TERM",
    "JOBER_SOCKET",
    "JOBER_TOKEN",
)


def current_run() -> CurrentRun:
    """The run that the calling code belongs to. Raises NotInRun."""
    run = entered_run() or _run_of_process()
    if run is None:
        raise NotInRun
    return run


def entered_run() -> CurrentRun | None:
    """The run that this thread was given, or inherited, in a process that has several."""
    of_thread = _entered.get()
    return of_thread() if of_thread else None


class entered:
    """Within it, this thread does the work of what `run` makes. For agents."""

    __slots__ = ("_run", "_token")

    def __init__(self, run: Callable[[], CurrentRun]) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._token = _entered.set(self._run)

    def __exit__(self, *raised: object) -> None:
        _entered.reset(self._token)


def leave_run() -> bool:
    """The run of this process ends: what is still to be told of it is. For who serves runs in
    turn, and for who ends without the interpreter's own end. Whether anything asked for the run."""
    global _of_process
    if _of_process is None:
        return False
    _of_process[2].close()
    _of_process = None
    return True


def moment(fire_at: str | None) -> datetime | None:
    """The fire time as it is told in a record and in JOBER_FIRE_AT; None where that is none."""
    try:
        return datetime.fromisoformat(fire_at) if fire_at else None
    except ValueError:
        return None


def whole(text: str | None) -> int | None:
    """The number of an attempt or a term; None for what is none."""
    return int(text) if text and text.isdecimal() and len(text) < 20 else None


def _run_of_process() -> CurrentRun | None:
    global _of_process
    told = tuple(os.environ.get(name, "") for name in _VARIABLES)
    if _of_process is not None and _of_process[0] == told:
        return _of_process[1]
    leave_run()
    id, attempt, job, host, fire_at, term, socket, secret = told
    if not id:
        return None
    link = SocketLink(socket, secret)
    run = CurrentRun(
        id=id,
        job=job or None,
        attempt=whole(attempt) or 1,
        host=host,
        fire_at=moment(fire_at),
        term=whole(term),
        _link=link,
    )
    _of_process = (told, run, link)
    return run
