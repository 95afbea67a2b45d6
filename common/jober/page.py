"""A page of a long list: some of it, and where the next one begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """`items` in order, and `next`, to be given as `after` for those that follow; None where these
    are the last. Where few are what is looked for, a page may be short, or empty, and yet have a
    next one: no call looks at more than a bounded number."""

    items: tuple[T, ...]
    next: str | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def to_dict(self, tell: Callable[[T], Any]) -> dict[str, Any]:
        """As JSON values, each item as `tell` tells it."""
        return {"items": [tell(item) for item in self.items], "next": self.next}
