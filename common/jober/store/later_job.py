"""A job that a later jober has written, where lists tell of all that there are."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterJob:
    """Its definition has a `schema` that is not known here, so nothing else is told of it."""

    name: str
    schema: int

    @property
    def problem(self) -> str:
        """In words, with the mend."""
        return f"of a later jober: schema {self.schema} (upgrade jober here)"

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "name": self.name,
            "job": self.name,
            "state": "later",
            "schema": self.schema,
            "problem": self.problem,
        }
