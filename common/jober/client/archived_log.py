"""What an archived run has written, read as `WholeLog` reads what Redis has."""

from collections.abc import Iterator, Sequence

from jober.client.keeping import opened
from jober.output import Frame, LogFile, Truncated


class ArchivedLog:
    """The output of one run of the archive at an address. Raises ArchiveError, RunNotFound."""

    def __init__(self, url: str | None, run: str) -> None:
        self.run = run
        self.files: Sequence[LogFile] = ()
        with opened(url) as archive:
            archive.run(run)
            self._items = list(archive.output(run))

    def forward(self, *, whole: bool = True) -> Iterator[Frame | Truncated]:
        """All of it in order, with a mark where bytes were cut before it was archived."""
        yield from self._items

    def backward(self) -> Iterator[list[Frame | Truncated]]:
        """The same in one block."""
        yield self._items
