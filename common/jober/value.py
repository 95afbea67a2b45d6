"""Values that are made for each run, by the ten thousand a second."""

from typing import TYPE_CHECKING

__all__ = ["quick"]

if TYPE_CHECKING:
    from dataclasses import dataclass as quick
else:
    from dataclasses import dataclass

    def quick(*, frozen, **options):
        """A dataclass that type checkers alone keep frozen: a write that is refused when it is
        tried makes each field cost three times as much to set."""
        return dataclass(unsafe_hash=frozen, **options)
