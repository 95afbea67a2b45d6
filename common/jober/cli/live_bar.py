"""The progress of a followed run, on the last line of the terminal, below what it writes."""

import os
import sys

from jober.cli.how_far import bar
from jober.progress import Progress

_CLEAR_LINE = "\r\x1b[K"


class LiveBar:
    """It is there where stderr is a terminal, and otherwise does nothing."""

    def __init__(self) -> None:
        self._is_on = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._progress: Progress | None = None
        self._is_shown = False
        # What was written last has ended its line; else the bar would stand within it.
        self._at_line_start = True

    def show(self, progress: Progress) -> None:
        self._progress = progress
        self.draw()

    def clear(self) -> None:
        """Make way for what is written next."""
        if self._is_shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._is_shown = False

    def wrote(self, data: bytes) -> None:
        """This has been written where the bar was, which was cleared before."""
        if data:
            self._at_line_start = data.endswith(b"\n")

    def draw(self) -> None:
        if not self._is_on or self._progress is None or not self._at_line_start:
            return
        # A terminal that does not tell its width says 0.
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        sys.stderr.write(f"{_CLEAR_LINE}{bar(self._progress, width - 1)}")
        sys.stderr.flush()
        self._is_shown = True
