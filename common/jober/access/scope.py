"""What somebody may do: each scope may all that the one before it may."""

from enum import StrEnum

from jober.errors import DefinitionError, did_you_mean


class Scope(StrEnum):
    """A total order: a viewer reads, an operator runs, cancels and pauses too, an admin changes
    definitions, limits, users and tokens too.

    >>> Scope.OPERATOR >= Scope.VIEWER, Scope.OPERATOR >= Scope.ADMIN
    (True, False)
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Scope).index(self)

    # By rank, and never by their letters.
    def __lt__(self, other: object) -> bool:
        return isinstance(other, Scope) and self.rank < other.rank

    def __le__(self, other: object) -> bool:
        return isinstance(other, Scope) and self.rank <= other.rank

    def __gt__(self, other: object) -> bool:
        return isinstance(other, Scope) and self.rank > other.rank

    def __ge__(self, other: object) -> bool:
        return isinstance(other, Scope) and self.rank >= other.rank

    @staticmethod
    def read(told: object) -> "Scope":
        """The scope of that name. Raises DefinitionError."""
        known = [str(scope) for scope in Scope]
        if not isinstance(told, str) or told not in known:
            raise DefinitionError(
                f"{str(told)[:60]!r} is no scope{did_you_mean(str(told), known)}",
                field="scope",
                value=told,
                mend="viewer, operator or admin",
            )
        return Scope(told)
