"""The first or the last lines of a run's output. Pure; a last line without its end counts too."""

from collections.abc import Iterable
from dataclasses import replace

from jober.output import Frame, Truncated


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


def tail(items: Iterable[Frame | Truncated], lines: int) -> list[Frame | Truncated]:
    """The last lines of all, and the marks among them."""
    kept = [item for item in items if isinstance(item, Truncated) or item.data]
    last = next((item for item in reversed(kept) if isinstance(item, Frame)), None)
    # The end of the last line closes that line, and begins none.
    wanted = lines + 1 if last and last.data.endswith(b"\n") else lines
    if lines <= 0:
        return []
    for place in range(len(kept) - 1, -1, -1):
        item = kept[place]
        if isinstance(item, Truncated):
            continue
        ends = item.data.count(b"\n")
        if ends >= wanted:
            cut = len(item.data)
            for _ in range(wanted):
                cut = item.data.rfind(b"\n", 0, cut)
            rest = replace(item, offset=item.offset + cut + 1, data=item.data[cut + 1 :])
            return [rest, *kept[place + 1 :]] if rest.data else kept[place + 1 :]
        wanted -= ends
    return kept
