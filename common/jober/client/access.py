"""What every room of `Jober`, and every handle of a run, stands on."""

from jober.errors import DefinitionError
from jober.store import Store


class Access:
    """All of jober's state at one address."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def owner(self, detach: bool | None) -> str:
        """Whose a new run is, and ends with: nobody's, at a Redis that others serve."""
        if detach is False:
            raise DefinitionError(
                "the runs of a fleet go on when the program that made them ends",
                field="detach",
                value=detach,
                mend="leave it out, or cancel the run",
            )
        return ""
