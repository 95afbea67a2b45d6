"""A page of a log: the rows that stand in a range of its bytes. Pure.

A row is a line, or what one stream has written of one before the other came between: so a row
begins after the end of a line, where the stream changes, or where bytes are missing, and a page can
begin at any row without what is before it. Rows are told by the place of their first byte in all
that the run has written.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from jober.log_line import LogLine, read_lines
from jober.output import Frame, Stream, Truncated
from jober_web.pages.ansi import PLAIN, Style, coloured, plain

# So many bytes are a page; of a longer row, so many are shown.
PAGE_BYTES = 64 * 1024
ROW_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, of the bytes from `start` to before `end`. `kind` is `stdout`, `stderr`, `log`, or
    `cut` where bytes are missing; `level` is that of a log record."""

    start: int
    end: int
    kind: str
    at_ms: int | None
    html: Markup
    text: str
    level: str | None = None
    is_open: bool = False  # its line may go on


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Rows in order, of the bytes from `start` to before `end`."""

    rows: tuple[Row, ...]
    start: int
    end: int

    @property
    def next(self) -> int:
        """Where what follows begins: with the last row again, where that may go on; but for one
        that is as long as a page."""
        if self.rows and self.rows[-1].is_open and self.end - self.rows[-1].start < PAGE_BYTES:
            return self.rows[-1].start
        return self.end


@dataclass(slots=True)
class _Piece:
    """Bytes of one row that are being gathered."""

    start: int
    stream: Stream
    at_ms: int
    data: bytearray


def log_page(items: Iterable[Frame | Truncated], start: int) -> LogPage:
    """The rows of the items, which begin at the byte `start`."""
    rows: list[Row] = []
    styles: dict[Stream, Style] = {}
    at = start
    for piece in _pieces(items, start):
        if isinstance(piece, Row):
            rows.append(piece)
        else:
            rows += _rows_of(piece, styles)
        at = rows[-1].end
    return LogPage(rows=tuple(rows), start=start, end=at)


def without_first(page: LogPage) -> LogPage:
    """The page from its second row on, where it may have begun within the first."""
    if len(page.rows) < 2:
        return page
    return LogPage(rows=page.rows[1:], start=page.rows[1].start, end=page.end)


def without_open(page: LogPage) -> LogPage:
    """The page without a last row that goes on in the next one, which begins with it."""
    if len(page.rows) < 2 or not page.rows[-1].is_open:
        return page
    return LogPage(rows=page.rows[:-1], start=page.start, end=page.rows[-1].start)


def is_found(text: str, wanted: str) -> bool:
    """Whether a row has what is looked for; capital letters count where some are asked for."""
    return wanted in (text if wanted != wanted.lower() else text.lower())


def _pieces(items: Iterable[Frame | Truncated], start: int) -> Iterator[_Piece | Row]:
    """What belongs together: a line, or a part of one; log records of one frame in one piece."""
    at = start
    gathered: _Piece | None = None
    for item in items:
        if isinstance(item, Truncated):
            if gathered:
                yield gathered
                gathered = None
            yield _cut(at, item)
            at += item.dropped
            continue
        if gathered and (gathered.stream is not item.stream or item.offset != at):
            yield gathered
            gathered = None
        at = item.offset
        for line in _lines(item.data):
            if gathered is None:
                gathered = _Piece(at, item.stream, item.at_ms, bytearray())
            gathered.data += line
            at += len(line)
            if line.endswith(b"\n"):
                yield gathered
                gathered = None
    if gathered:
        yield gathered


def _lines(data: bytes) -> Iterator[bytes]:
    """Each with its end; `splitlines` would part at a carriage return too."""
    *lines, rest = data.split(b"\n")
    yield from (line + b"\n" for line in lines)
    if rest:
        yield rest


def _cut(at: int, mark: Truncated) -> Row:
    text = str(mark)
    return Row(
        start=at,
        end=at + mark.dropped,
        kind="cut",
        at_ms=None,
        html=Markup("{}").format(text),
        text=text,
    )


def _rows_of(piece: _Piece, styles: dict[Stream, Style]) -> Iterator[Row]:
    data = bytes(piece.data)
    if piece.stream is Stream.LOG:
        line = next(read_lines(data), b"")
        if isinstance(line, LogLine):
            yield _log_row(line, piece.start, piece.start + len(data))
            return
    shown, rest = data[:ROW_BYTES].rstrip(b"\n"), max(0, len(data) - ROW_BYTES)
    text = shown.decode("utf-8", "replace")
    html, styles[piece.stream] = coloured(text, styles.get(piece.stream, PLAIN))
    if rest:
        html += Markup('<span class="dim"> … {} bytes more</span>').format(rest)
    yield Row(
        start=piece.start,
        end=piece.start + len(data),
        kind=str(piece.stream),
        at_ms=piece.at_ms,
        html=html,
        text=plain(text),
        is_open=not data.endswith(b"\n"),
    )


def _log_row(line: LogLine, start: int, end: int) -> Row:
    text = f"{line.level} {line.logger}: {line.message}"
    html = Markup('<b class="level">{}</b> <span class="logger">{}</span> {}').format(
        line.level, line.logger, plain_lines(line.message)
    )
    return Row(
        start=start,
        end=end,
        kind="log",
        at_ms=line.at_ms,
        html=html,
        text=text,
        level=line.level.lower(),
    )


def plain_lines(text: str) -> str:
    """A message of several lines, without what a terminal would obey."""
    return "\n".join(plain(line) for line in text.split("\n"))
