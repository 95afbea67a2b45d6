"""Records that cannot be read: somebody has written them by hand. The others go on."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)

# Of so many it is remembered that they were told of.
TOLD = 10_000


class Unreadable:
    """Tells of each such record once; `what` says what they are of."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told: set[bytes] = set()

    def passed_over(self, read: Callable[..., T], rows: Iterable[Sequence[Any]]) -> list[T]:
        """What `read` makes of each row, which begins with a name, but for those that it cannot."""
        found = []
        for row in rows:
            try:
                found.append(read(*row))
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                self.tell(row[0], error)
        return found

    def tell(self, name: bytes, error: Exception) -> None:
        """That it is passed over."""
        if name in self._told:
            return
        if len(self._told) >= TOLD:
            self._told.clear()
        self._told.add(name)
        shown = name.decode("utf-8", "replace")
        log.error("%s %s is passed over: it cannot be read: %s", self._what, shown, error)
