"""The jobs file, applied again when it has changed."""

import os

from jober.client import Jober
from jober.errors import DefinitionError
from jober.jobs_file import Difference


class Watch:
    """Looks at the file; its jobs are then all the jobs there are."""

    def __init__(self, jober: Jober, file: str) -> None:
        self._jober = jober
        self._file = file
        self._seen = self._stamp()

    def apply(self) -> Difference:
        """Apply the file. Raises DefinitionError, and writes nothing then."""
        return self._jober.apply(self._file, prune=True)

    def look(self) -> Difference | DefinitionError | None:
        """What came of it where the file has changed since it was last looked at."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        if stamp is None:  # an editor may take it away and bring a new one
            return None
        try:
            return self.apply()
        except DefinitionError as error:
            return error

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._file)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
