"""The archive, asked and written: the same for SQLite and PostgreSQL."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, insert, or_, select
from sqlalchemy import and_ as both
from sqlalchemy.engine import RowMapping as Row
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from jober.archive.entry import ArchiveEntry
from jober.archive.schema import LOG_RECORDS, METADATA, OUTPUTS, RUN_TAGS, RUNS, SCHEMAS
from jober.errors import ArchiveError, NewerSchema, RunNotFound
from jober.log_line import LogLine, read_lines
from jober.output import Frame, Stream, Truncated
from jober.run import Attempt, Run, RunState
from jober.run_filter import RunFilter
from jober.schema import SCHEMA, check_schema

# What a statement asks of at once.
_BATCH = 200
# The stream of a row that tells of bytes that are missing.
_CUT = "cut"
# What a run has a column of by its own name.
_SAME = (
    *("id", "job", "host", "agent", "trigger", "queue", "description", "revision", "attempt"),
    *("fire_at_ms", "enqueued_at_ms", "started_at_ms", "ended_at_ms", "exit_code", "reason"),
    *("return_value", "traceback", "cpu_s", "peak_memory_bytes", "term"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many seconds the archive keeps runs (with all that is theirs), what they wrote, and
    log records by level (each up to the next one that is named); None is for ever."""

    runs_s: float | None = None
    output_s: float | None = None
    logs_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How many rows went."""

    runs: int
    outputs: int
    log_records: int


class Archive:
    """The archive at an address, as SQLAlchemy has it: `sqlite:////var/lib/jober/archive.db`,
    `postgresql+psycopg://user:password@host/database`. Its tables are made where they are missing.

    Every call may raise ArchiveError, which holds no password.
    """

    def __init__(self, url: str) -> None:
        try:
            address = make_url(url)
            self.shown = address.render_as_string(hide_password=True)
        except (ArgumentError, ValueError):
            raise ArchiveError(
                "its address cannot be read (as in sqlite:////var/lib/jober/archive.db, or "
                "postgresql+psycopg://user:password@host/database)"
            ) from None
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            raise ArchiveError(f"{self.shown}: it takes SQLite and PostgreSQL alone")
        try:
            self._engine: Engine = create_engine(address)
        except (ImportError, NoSuchModuleError) as error:
            raise ArchiveError(f"{self.shown}: {error} (pip install 'jober[archive]')") from None
        if address.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", _obey_foreign_keys)
        with self._told():
            METADATA.create_all(self._engine)
        self._check_schema()

    def _check_schema(self) -> None:
        """Raises ArchiveError where a later jober has made the tables, and else says who did."""
        newest = select(SCHEMAS.c.schema).order_by(SCHEMAS.c.schema.desc())
        with self._begin() as connection:
            found = connection.execute(newest).scalar()
        if found is None:
            with suppress(IntegrityError), self._engine.begin() as connection:
                connection.execute(insert(SCHEMAS).values(schema=SCHEMA))
        try:
            check_schema(self.shown, found)
        except NewerSchema as error:
            raise ArchiveError(str(error)) from None

    def close(self) -> None:
        self._engine.dispose()

    def put(self, entries: Sequence[ArchiveEntry]) -> None:
        """Write runs, in one transaction; one that is there already becomes as it is told now."""
        with self._begin() as connection:
            for start in range(0, len(entries), _BATCH):
                ids = [entry.run.id for entry in entries[start : start + _BATCH]]
                connection.execute(delete(RUNS).where(RUNS.c.id.in_(ids)))
            _insert(connection, RUNS, [_row(entry) for entry in entries])
            tags = ((entry.run.id, tag) for entry in entries for tag in dict.fromkeys(entry.tags))
            _insert(connection, RUN_TAGS, [{"run": run, "tag": tag[:200]} for run, tag in tags])
            _insert(connection, OUTPUTS, [row for entry in entries for row in _outputs(entry)])
            _insert(connection, LOG_RECORDS, [row for entry in entries for row in _logs(entry)])

    def runs(self, wanted: RunFilter, after: str | None = None, limit: int = 100) -> list[Run]:
        """A page of runs, newest first: those that come after the one with the id `after`."""
        query = select(RUNS).order_by(RUNS.c.made_at_ms.desc(), RUNS.c.id.desc()).limit(limit)
        if wanted.job is not None:
            query = query.where(RUNS.c.job == wanted.job)
        if wanted.states:
            query = query.where(RUNS.c.state.in_([str(state) for state in wanted.states]))
        if wanted.host is not None:
            query = query.where(RUNS.c.host == wanted.host)
        if wanted.since_ms is not None:
            query = query.where(RUNS.c.made_at_ms >= wanted.since_ms)
        if wanted.until_ms is not None:
            query = query.where(RUNS.c.made_at_ms < wanted.until_ms)
        if wanted.tag is not None:
            tagged = select(RUN_TAGS.c.run).where(RUN_TAGS.c.tag == wanted.tag)
            query = query.where(RUNS.c.id.in_(tagged))
        with self._begin() as connection:
            if after is not None:
                place = select(RUNS.c.made_at_ms).where(RUNS.c.id == after)
                made_at_ms = connection.execute(place).scalar()
                if made_at_ms is None:
                    return []
                same = both(RUNS.c.made_at_ms == made_at_ms, RUNS.c.id < after)
                query = query.where(or_(RUNS.c.made_at_ms < made_at_ms, same))
            return [_run(row._mapping) for row in connection.execute(query)]

    def run(self, id: str) -> Run:
        """One run. Raises RunNotFound."""
        return _run(self._row(id))

    def attempts(self, id: str) -> list[Attempt]:
        """The attempts of a run. Raises RunNotFound."""
        told = json.loads(self._row(id)["attempts"])
        return [Attempt(**{**one, "state": RunState(one["state"])}) for one in told]

    def output(self, id: str) -> Iterator[Frame | Truncated]:
        """What is kept of what it wrote, in order; its log records as lines."""
        items: list[tuple[int, Frame | Truncated]] = []
        with self._begin() as connection:
            wrote = select(OUTPUTS).where(OUTPUTS.c.run == id)
            for row in connection.execute(wrote):
                items.append((row._mapping["seq"], _frame(row._mapping)))
            logged = select(LOG_RECORDS).where(LOG_RECORDS.c.run == id)
            logged = logged.order_by(LOG_RECORDS.c.seq, LOG_RECORDS.c.number)
            for row in connection.execute(logged):
                items.append((row._mapping["seq"], _log_frame(row._mapping)))
        for _, item in sorted(items, key=itemgetter(0)):
            yield item

    def prune(self, retention: Retention, now_ms: int) -> Pruned:
        """Forget what is older than it is to be kept."""

        def until(seconds: float) -> int:
            return now_ms - round(seconds * 1000)

        runs = outputs = logs = 0
        with self._begin() as connection:
            if retention.runs_s is not None:
                old = RUNS.c.ended_at_ms < until(retention.runs_s)
                runs = connection.execute(delete(RUNS).where(old)).rowcount
            if retention.output_s is not None:
                old = OUTPUTS.c.at_ms < until(retention.output_s)
                outputs = connection.execute(delete(OUTPUTS).where(old)).rowcount
            for low, high, seconds in _ranges(retention.logs_s):
                old = both(
                    LOG_RECORDS.c.severity >= low,
                    LOG_RECORDS.c.severity < high,
                    LOG_RECORDS.c.at_ms < until(seconds),
                )
                logs += connection.execute(delete(LOG_RECORDS).where(old)).rowcount
        return Pruned(runs=runs, outputs=outputs, log_records=logs)

    def _row(self, id: str) -> Row:
        with self._begin() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == id)).first()
        if row is None:
            raise RunNotFound(id)
        return row._mapping

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            told = str(getattr(error, "orig", None) or error).strip().splitlines()
            problem = told[0] if told else type(error).__name__
            raise ArchiveError(f"{self.shown}: {problem}") from None


def severity_of(level: str) -> int:
    """The number of a level, as logging has it; of one that is not known that of INFO."""
    return logging.getLevelNamesMapping().get(level.upper(), logging.INFO)


def _ranges(logs_s: Mapping[str, float]) -> Iterator[tuple[int, int, float]]:
    """The severities that each level stands for, up to the next one; the lowest for all below."""
    levels = sorted((severity_of(level), seconds) for level, seconds in logs_s.items())
    nexts = [*levels[1:], (1_000_000, 0.0)]
    for place, ((low, seconds), (high, _)) in enumerate(zip(levels, nexts, strict=False)):
        yield (low if place else 0), high, seconds


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _BATCH):
        connection.execute(insert(table), rows[start : start + _BATCH])


def _row(entry: ArchiveEntry) -> dict[str, Any]:
    run = entry.run
    attempts = [{**asdict(one), "state": str(one.state)} for one in entry.attempts]
    row = {name: getattr(run, name) for name in _SAME}
    # PostgreSQL's texts hold no NUL.
    row = {name: _plain(value) for name, value in row.items()}
    return {
        **row,
        "state": str(run.state),
        "made_at_ms": entry.made_at_ms,
        "attempts": json.dumps(attempts),
    }


def _plain(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _outputs(entry: ArchiveEntry) -> Iterator[dict[str, Any]]:
    """What it wrote, and a row of the stream `cut` where the cap on kept output has cut: the number
    of bytes that are missing, in the place of the frames that are."""
    seq = end = 0
    for frame in entry.frames:
        if frame.offset > end and frame.seq > seq + 1:
            missing = str(frame.offset - end).encode()
            yield _piece(entry, seq + 1, _CUT, frame.at_ms, end, missing)
        if frame.stream is not Stream.LOG:
            stream = str(frame.stream)
            yield _piece(entry, frame.seq, stream, frame.at_ms, frame.offset, frame.data)
        seq, end = frame.seq, frame.end


def _piece(
    entry: ArchiveEntry, seq: int, stream: str, at_ms: int, offset: int, data: bytes
) -> dict[str, Any]:
    return {
        "run": entry.run.id,
        "seq": seq,
        "stream": stream,
        "at_ms": at_ms,
        "offset": offset,
        "data": data,
    }


def _logs(entry: ArchiveEntry) -> Iterator[dict[str, Any]]:
    for frame in entry.frames:
        if frame.stream is Stream.LOG:
            lines = (line for line in read_lines(frame.data) if isinstance(line, LogLine))
            for number, line in enumerate(lines):
                yield {
                    "run": entry.run.id,
                    "seq": frame.seq,
                    "number": number,
                    "at_ms": line.at_ms,
                    "severity": severity_of(line.level),
                    "level": _plain(line.level),
                    "logger": _plain(line.logger),
                    "message": _plain(line.message),
                }


def _run(row: Row) -> Run:
    return Run(**{name: row[name] for name in _SAME}, state=RunState(row["state"]))


def _frame(row: Row) -> Frame | Truncated:
    if row["stream"] == _CUT:
        return Truncated(dropped=int(bytes(row["data"])))
    return Frame(
        seq=row["seq"],
        stream=Stream(row["stream"]),
        at_ms=row["at_ms"],
        offset=row["offset"],
        data=bytes(row["data"]),
    )


def _log_frame(row: Row) -> Frame:
    line = LogLine(
        at_ms=row["at_ms"], level=row["level"], logger=row["logger"], message=row["message"]
    )
    return Frame(
        seq=row["seq"], stream=Stream.LOG, at_ms=row["at_ms"], offset=0, data=line.to_bytes()
    )


def _obey_foreign_keys(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
