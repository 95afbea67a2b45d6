"""What a run writes: read as text or bytes, or followed while it writes."""

from collections import deque
from collections.abc import Iterable, Iterator

from jober.client.access import Access
from jober.client.arguments import checked
from jober.client.giving_up import patiently
from jober.client.whole_log import WholeLog
from jober.log_line import as_text
from jober.output import Frame, Stream, Truncated

# In `Output`, `bytes` is a call.
_Bytes = bytes
# A longer line is followed in pieces: nobody has to keep what never ends.
LINE_AT_MOST = 1024 * 1024


class Output:
    """The output of one run, or one stream of it. All that is there so far, in the order written;
    log records are text, a line each.

    Redis has its beginning and its end. With `whole`, what is missing between is asked of the
    hosts where a job with output = "file" has run.
    """

    def __init__(self, access: Access, run: str, stream: Stream | None = None) -> None:
        self._access = access
        self._run = run
        self._stream = stream

    def __repr__(self) -> str:
        return f"<{self._stream or 'output'} of {self._run}>"

    @checked
    def bytes(self, *, whole: bool = False) -> bytes:
        """All bytes, as they were written."""
        return b"".join(self._parts(whole=whole))

    def _parts(self, *, whole: bool) -> Iterator["_Bytes"]:
        for frame in WholeLog(self._access.store, self._run).forward(whole=whole):
            if isinstance(frame, Frame) and self._stream in (None, frame.stream):
                yield as_text(frame.data) if frame.stream is Stream.LOG else frame.data

    @checked
    def lines(self, *, whole: bool = False) -> list[str]:
        """All lines, without their ends. What is no UTF-8 is shown as such."""
        return _lines(self._parts(whole=whole))

    @checked
    def head(self, n: int = 10, *, whole: bool = False) -> str:
        """The first `n` lines, as text. Of a log of any size no more is read than that."""
        kept, ends = [], 0
        for part in self._parts(whole=whole):
            kept.append(part)
            ends += part.count(b"\n")
            if ends >= n:
                break
        return _text(_lines(kept)[:n])

    @checked
    def tail(self, n: int = 10, *, whole: bool = False) -> str:
        """The last `n` lines, as text. No more is kept of a log of any size than that."""
        kept: deque[_Bytes] = deque()
        ends = 0
        for part in self._parts(whole=whole):
            kept.append(part)
            ends += part.count(b"\n")
            while ends - (first := kept[0].count(b"\n")) > n:
                ends -= first
                kept.popleft()
        lines = _lines(kept)
        return _text(lines[max(0, len(lines) - n) :])

    def between(self, start: int, end: int, *, whole: bool = True) -> Iterator[Frame | Truncated]:
        """The bytes from `start` to before `end` of all that the run has written, as frames, with a
        `Truncated` where some are missing. Of a log of any size no more is read than that."""
        log = WholeLog(self._access.store, self._run)
        for item in log.between(start, end, whole=whole):
            if isinstance(item, Truncated) or self._stream in (None, item.stream):
                yield item

    def frames_after(self, seq: int, limit: int) -> list[Frame]:
        """The kept frames with a greater seq, in order, so many at the most."""
        return list(self._access.store.outputs.some(self._run, seq, limit))

    def size(self) -> int:
        """How many bytes the run has written so far, on all streams."""
        return WholeLog(self._access.store, self._run).size()

    @checked
    def follow(self, timeout: float | None = None) -> Iterator[str]:
        """Each line as soon as it is written, without its end, until the run has ended, or for at
        most `timeout` seconds. Where the cap on kept output cut, a line says how much. One of more
        than 1 MiB comes in pieces of that."""
        rests: dict[Stream, bytes] = {}
        for told in self.frames(timeout):
            if isinstance(told, Truncated):
                yield from (rest.decode("utf-8", "replace") for rest in rests.values() if rest)
                rests.clear()
                yield str(told)
                continue
            data = as_text(told.data) if told.stream is Stream.LOG else told.data
            *lines, rest = (rests.get(told.stream, b"") + data).split(b"\n")
            while len(rest) > LINE_AT_MOST:
                lines.append(rest[:LINE_AT_MOST])
                rest = rest[LINE_AT_MOST:]
            rests[told.stream] = rest
            yield from (line.decode("utf-8", "replace") for line in lines)
        yield from (rest.decode("utf-8", "replace") for rest in rests.values() if rest)

    @checked
    def frames(self, timeout: float | None = None) -> Iterator[Frame | Truncated]:
        """The same as frames, each with its stream and its moment, as it came; a `Truncated`
        stands where the cap on kept output cut."""
        followed = self._access.store.outputs.follow(self._run, timeout_s=timeout)
        for told in patiently(followed):
            if isinstance(told, Truncated):
                yield told
            elif isinstance(told, Frame) and self._stream in (None, told.stream):
                yield told


def _lines(parts: Iterable[_Bytes]) -> list[str]:
    *lines, rest = b"".join(parts).decode("utf-8", "replace").split("\n")
    return [*lines, rest] if rest else lines


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
