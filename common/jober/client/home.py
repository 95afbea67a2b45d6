"""Where the runs of a `Jober` are at home: in a folder that this program is a member of, or in a
fleet, which has nothing to do with it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jober.client.own_functions import OwnFunctions
from jober.errors import DefinitionError

if TYPE_CHECKING:
    from jober.embedded.member import Membership

# The owner of runs that end with nobody, in a folder.
DETACHED = "detached"


class Home:
    """A folder, or a fleet, which is None."""

    def __init__(self, membership: "Membership | None") -> None:
        self._membership = membership
        self._own_functions = None if membership is None else OwnFunctions(membership)

    @property
    def is_folder(self) -> bool:
        """Whether runs are carried out here, by the agent of the folder."""
        return self._membership is not None

    def is_found(self, call: str) -> bool:
        """Whether agents find a function, `pkg.mod:func`, that this program has imported, as far as
        that is known here: the agent of a folder imports from where the first to come did."""
        return self._membership is None or self._membership.can_import(call.partition(":")[0])

    def local_fields(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The fields of a job that calls a function which only this program has. Raises
        NotImportable where it is in no folder."""
        from jober.job import NotImportable

        if self._own_functions is None:
            raise NotImportable(function)
        return self._own_functions.fields(function)

    def owner(self, detach: bool | None) -> str:
        """Whose a new run is, and ends with: this program's in a folder, unless it is detached;
        nobody's at a Redis that others serve."""
        if self._membership is not None:
            return DETACHED if detach else str(self._membership.id)
        if detach is False:
            raise DefinitionError(
                "the runs of a fleet go on when the program that made them ends",
                field="detach",
                value=detach,
                mend="leave it out, or cancel the run",
            )
        return ""

    def end_functions(self) -> None:
        """Call no more functions of this program."""
        if self._own_functions is not None:
            self._own_functions.close()

    def leave(self) -> None:
        """Leave the folder."""
        if self._membership is not None:
            self._membership.close()
