"""Jobs as one dict, for a program that schedules its own: `Jober.from_jobs({…}).schedule()`."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from jober.client.arguments import checked
from jober.client.definitions import APPLY_BATCH, Definitions
from jober.client.giving_up import patiently
from jober.client.told_job import read_conf
from jober.clock import iso, to_ms
from jober.errors import DefinitionError, RedisUnavailable
from jober.store import Store
from jober.store.changes import Change

if TYPE_CHECKING:
    from jober.embedded.member import Membership

log = logging.getLogger(__name__)

# How often `schedule` looks for what has fired, to dump it.
LOOK_S = 1.0
# How long the end waits for a last dump.
END_S = 10.0

Status = Mapping[str, str]
FilterJob = Callable[[str, Mapping[str, Any]], bool]
DumpStatus = Callable[[dict[str, str]], object]
ReloadStatus = Callable[[], Status | None]


class DictForm(Definitions):
    """Scheduling out of a program, with hooks of its own."""

    def __init__(self, store: Store, membership: "Membership | None" = None) -> None:
        super().__init__(store, membership)
        self._filter_job: FilterJob | None = None
        self._dump_status: DumpStatus | None = None
        self._dumped: dict[str, str] = {}
        self._over = threading.Event()
        self._scheduling = threading.Lock()

    @classmethod
    def from_jobs(
        cls,
        jobs: Mapping[str, Mapping[str, Any]],
        where: str | os.PathLike[str] | None = None,
        *,
        filter_job: FilterJob | None = None,
        dump_status: DumpStatus | None = None,
        reload_status: ReloadStatus | None = None,
    ) -> Self:
        """A Jober with these jobs; `where` is what `Jober` takes. One that is there already
        becomes as it is told here.

        Each job is a dict of the fields of a jobs file, with `func` for what runs (a function, a
        command, …) and `concurrence_n` for how many at once.

        `filter_job(name, conf)` says of each of them whether to make it here.
        `dump_status(status)` is called by `schedule` whenever something has fired, and in the end:
        `status` is a dict of the last fire of each job, as ISO text (at first: when it was
        added), so it can be kept as JSON. `reload_status()` is called once, before the jobs are
        made: it returns what was dumped, or None. A job that is new here goes on from there: what
        was due since its last fire is caught up with as its `catch_up` says.

        Raises DefinitionError, a NextFireTimeError where an `every` is none; no job is made then.
        """
        if not isinstance(jobs, Mapping):
            raise DefinitionError(
                "the jobs are no dict", field="jobs", mend='{"job_a": {"func": f, "every": 60}}'
            )
        made: Any = cls() if where is None else cls(where)  # type: ignore[call-arg,arg-type]
        try:
            made._filter_job, made._dump_status = filter_job, dump_status
            made._take(jobs, _read_status(reload_status() if reload_status else None))
        except BaseException:
            made.close()
            raise
        self: Self = made
        return self

    def _take(self, jobs: Mapping[str, Mapping[str, Any]], since_ms: Mapping[str, int]) -> None:
        from jober.job import raise_any

        problems: list[DefinitionError] = []
        wanted: dict[str, Any] = {}
        for name, conf in jobs.items():
            if self._is_wanted(name, conf):
                try:
                    wanted[name] = self.defined(name, read_conf(name, conf, self.home.local_fields))
                except DefinitionError as error:
                    problems.append(error)
        raise_any(problems)
        changes = [
            Change(op="put", name=name, job=job, since_ms=since_ms.get(name))
            for name, job in wanted.items()
        ]
        for start in range(0, len(changes), APPLY_BATCH):
            self.store.jobs.apply(changes[start : start + APPLY_BATCH])

    def _is_wanted(self, name: str, conf: Mapping[str, Any]) -> bool:
        return self._filter_job is None or bool(self._filter_job(name, conf))

    @checked
    def delete_job(self, name: str, *, force: bool = False) -> None:
        """As `remove_job`."""
        self.remove_job(name, force=force)

    def schedule(self) -> None:
        """Let the jobs fire until `close` is called, by another thread, or a Ctrl-C comes.

        It is scheduled without this call too: it blocks, and dumps the status.
        """
        with self._scheduling:
            try:
                for _ in patiently(iter(lambda: self._over.wait(LOOK_S), True)):
                    self._dump()
            finally:
                self._dump()

    def _end_schedule(self) -> None:
        """Have `schedule` dump for the last time, and return."""
        self._over.set()
        if self._scheduling.acquire(timeout=END_S):
            self._scheduling.release()

    def status(self) -> dict[str, str]:
        """The last fire of each job, as ISO text; at first, when it was added. It is what
        `dump_status` gets."""
        return {name: str(iso(at_ms)) for name, at_ms in self.store.jobs.cursors().items()}

    def _dump(self) -> None:
        """Hand the status to the user's hook, where it has changed."""
        if self._dump_status is None:
            return
        try:
            status = self.status()
        except RedisUnavailable as error:
            log.warning("the status is not dumped: %s", error)
            return
        if status == self._dumped:
            return
        try:
            self._dump_status(dict(status))
        except Exception:
            log.exception("dump_status has failed, and is called again")
        else:
            self._dumped = status


def _read_status(status: object) -> dict[str, int]:
    """When each job fired last, in ms."""
    if status is None:
        return {}
    if not isinstance(status, Mapping):
        raise DefinitionError(
            "reload_status returned no dict", field="reload_status", mend="return what was dumped"
        )
    return {str(name): _moment_ms(str(name), told) for name, told in status.items()}


def _moment_ms(name: str, told: object) -> int:
    try:
        moment = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
        if moment.tzinfo is None:
            raise ValueError("it has no offset")
        return max(0, to_ms(moment))
    except (ValueError, OverflowError) as error:
        raise DefinitionError(
            f"{told!r:.60} is no moment: {error}",
            job=name,
            field="reload_status",
            value=told,
            mend="return what was dumped: 2026-11-21T03:00:00Z",
        ) from None
