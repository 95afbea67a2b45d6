"""The first or the last lines of a run's output. Pure; a last line without its end counts too."""

from collections.abc import Iterable, Iterator

from jober.output import Frame, Stream, Truncated


def marked(frames: Iterable[Frame], offset: int = 0) -> Iterator[Frame | Truncated]:
    """The frames, with a mark wherever bytes are missing before one."""
    for frame in frames:
        if frame.offset > offset:
            yield Truncated(dropped=frame.offset - offset)
        offset = frame.end
        yield frame


def only(items: Iterable[Frame | Truncated], stream: Stream | None) -> Iterator[bytes | Truncated]:
    """The bytes of one stream, or of both in the order written; marks stay."""
    for item in items:
        if isinstance(item, Truncated):
            yield item
        elif stream is None or item.stream is stream:
            yield item.data


class Head:
    """Passes on the first lines of what it is fed."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    def take(self, data: bytes) -> bytes:
        """What of `data` belongs to them."""
        if self.left <= 0:
            return b""
        end = -1
        while self.left and (end := data.find(b"\n", end + 1)) >= 0:
            self.left -= 1
        return data if self.left else data[: end + 1]


def tail(items: Iterable[bytes | Truncated], lines: int) -> list[bytes | Truncated]:
    """The last lines of all, and the marks among them."""
    kept = list(items)
    last = next((item for item in reversed(kept) if isinstance(item, bytes) and item), b"")
    # The end of the last line closes that line, and begins none.
    wanted = lines + 1 if last.endswith(b"\n") else lines
    if lines <= 0:
        return []
    for place in range(len(kept) - 1, -1, -1):
        item = kept[place]
        if not isinstance(item, bytes):
            continue
        ends = item.count(b"\n")
        if ends >= wanted:
            cut = len(item)
            for _ in range(wanted):
                cut = item.rfind(b"\n", 0, cut)
            return [one for one in (item[cut + 1 :], *kept[place + 1 :]) if one != b""]
        wanted -= ends
    return kept
