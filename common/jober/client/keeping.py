"""The archive: ended runs and what they wrote are moved out of Redis, and read there."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jober.client.arguments import checked
from jober.client.moments import read_span_s
from jober.client.runs import Moment, Runs
from jober.errors import ArchiveError, DefinitionError, RunNotFound, did_you_mean
from jober.log_line import LEVELS
from jober.run import Run, RunState

if TYPE_CHECKING:
    from jober.archive import Archive, ArchiveEntry, Retention

VARIABLE = "JOBER_ARCHIVE_URL"
DAY_S = 86_400.0
# Of runs that were given up, so long the true end is waited for: their agents may come back.
GIVEN_UP_S = 3_600.0
_GIVEN_UP = frozenset({RunState.LOST, RunState.POISONED})
BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """What `archive` has done: runs moved, and rows of the archive that were kept long enough."""

    runs: int
    forgotten_runs: int = 0
    forgotten_outputs: int = 0
    forgotten_log_records: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "runs": self.runs,
            "forgotten_runs": self.forgotten_runs,
            "forgotten_outputs": self.forgotten_outputs,
            "forgotten_log_records": self.forgotten_log_records,
        }


class Keeping(Runs):
    """What is kept beyond Redis."""

    @checked
    def archive(
        self,
        url: str | None = None,
        *,
        older_than: Any = DAY_S,
        name: str | None = None,
        keep_runs: Any = None,
        keep_output: Any = None,
        keep_logs: Mapping[str, Any] | None = None,
    ) -> Archived:
        """Move the ended runs that ended `older_than` ago (default: a day), of one job or of all,
        with attempts, results, output and log records, to the archive at `url` (default:
        JOBER_ARCHIVE_URL), and have it forget what it has kept for long enough.

        Spans are seconds, timedeltas, or text such as "12h" or "30d". `keep_runs` is for runs with
        all that is theirs, `keep_output` for what they wrote, `keep_logs` for log records by level,
        as {"debug": "1d", "warning": "90d"}: each level keeps those up to the next one. Without
        them the archive keeps all. Plain RQ jobs stay, as their applications say.

        A run is removed from Redis when the archive has it; where this is broken off in between, it
        is in both, and is moved the next time. Raises ArchiveError, DefinitionError.
        """
        older_than_s = read_span_s(older_than, "older_than")
        retention = _retention(keep_runs, keep_output, keep_logs)
        self.store.observe_time()
        now_ms = self.store.clock.now_ms()
        with opened(url) as archive:
            moved = sum(
                self._move(archive, entries) for entries in self._old(name, older_than_s, now_ms)
            )
            pruned = archive.prune(retention, now_ms)
        return Archived(
            runs=moved,
            forgotten_runs=pruned.runs,
            forgotten_outputs=pruned.outputs,
            forgotten_log_records=pruned.log_records,
        )

    @checked
    def archived_runs(
        self,
        /,
        name: str | None = None,
        *,
        url: str | None = None,
        state: str | Sequence[str] | None = None,
        host: str | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        tag: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Run]:
        """As `runs`, of the archive; `tag` is one that their job had when they were moved."""
        wanted = self._run_filter(name, state, host, since, until, tag)
        with opened(url) as archive:
            return archive.runs(wanted, after, limit)

    def _move(self, archive: "Archive", entries: "list[ArchiveEntry]") -> int:
        archive.put(entries)
        return self.store.runs.forget([entry.run for entry in entries])

    def _old(
        self, name: str | None, older_than_s: float, now_ms: int
    ) -> "Iterator[list[ArchiveEntry]]":
        """Batches of what is to be moved, the oldest first: each is moved before the next."""
        from jober.archive import ArchiveEntry

        tags = {record.name: record.job.tags for record in self.store.jobs.all()}
        first = 0
        while page := self.store.runs.oldest(first, BATCH):
            made = dict(page)
            runs = self.store.runs.found(made)
            old = [
                run
                for run in runs.values()
                if name in (None, run.job) and _is_old(run, older_than_s, now_ms)
            ]
            if old:
                yield [
                    ArchiveEntry(
                        run=run,
                        made_at_ms=made[run.id],
                        attempts=self._attempts(run.id),
                        frames=tuple(self.store.outputs.read(run.id)),
                        tags=tags.get(run.job or "", ()),
                    )
                    for run in old
                ]
            # Those that were moved are not before the next page any more.
            there = self.store.runs.found([run.id for run in old])
            first += len(page) - len(old) + len(there)

    def _attempts(self, id: str) -> "list[Any]":
        try:
            return list(self.store.runs.attempts(id))
        except RunNotFound:
            return []


@contextmanager
def opened(url: str | None) -> "Iterator[Archive]":
    """The archive at an address, or at that of JOBER_ARCHIVE_URL. Raises ArchiveError."""
    address = url or os.environ.get(VARIABLE)
    if not address:
        raise ArchiveError(
            "no address is given "
            f"(name one, as sqlite:////var/lib/jober/archive.db, or set {VARIABLE})"
        )
    try:
        from jober.archive import Archive
    except ImportError as error:
        raise ArchiveError(f"{error} (pip install 'jober[archive]')") from None
    archive = Archive(address)
    try:
        yield archive
    finally:
        archive.close()


def _is_old(run: Run, older_than_s: float, now_ms: int) -> bool:
    """Whether a run is to be moved: ours, ended long enough ago, and for good."""
    if run.trigger == "rq" or not run.state.is_final or run.ended_at_ms is None:
        return False
    age_s = (now_ms - run.ended_at_ms) / 1000
    return age_s >= max(older_than_s, GIVEN_UP_S if run.state in _GIVEN_UP else 0)


def _retention(keep_runs: Any, keep_output: Any, keep_logs: Any) -> "Retention":
    try:
        from jober.archive import Retention
    except ImportError as error:
        raise ArchiveError(f"{error} (pip install 'jober[archive]')") from None
    logs: dict[str, float] = {}
    if keep_logs is not None and not isinstance(keep_logs, Mapping):
        raise DefinitionError(
            "it is no mapping", field="keep_logs", value=keep_logs, mend='{"debug": "1d"}'
        )
    for level, span in (keep_logs or {}).items():
        if str(level).upper() not in LEVELS:
            near = did_you_mean(str(level)[:100].upper(), LEVELS)
            raise DefinitionError(
                f"{level!r:.60} is no level{near}",
                field="keep_logs",
                value=level,
                mend=f"one of {', '.join(LEVELS).lower()}",
            )
        logs[str(level).upper()] = read_span_s(span, f"keep_logs.{level}")
    return Retention(
        runs_s=None if keep_runs is None else read_span_s(keep_runs, "keep_runs"),
        output_s=None if keep_output is None else read_span_s(keep_output, "keep_output"),
        logs_s=logs,
    )
