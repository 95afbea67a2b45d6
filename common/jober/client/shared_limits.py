"""The limits that jobs share."""

from jober.client.access import Access
from jober.client.arguments import checked
from jober.errors import LimitNotFound
from jober.limit import Limit, check_limit
from jober.store.changes import Change


class SharedLimits(Access):
    """How many runs of several jobs may go on at once."""

    def limits(self) -> list[Limit]:
        """The limits that jobs share, and how much of each is used."""
        return self.store.limits.all()

    def set_limit(self, name: str, slots: int) -> None:
        """Let so many runs of the jobs that name the limit go on at once."""
        name, slots = check_limit(name, slots)
        self.store.jobs.apply([Change(op="limit", name=name, slots=slots)])

    @checked
    def remove_limit(self, name: str) -> None:
        """Remove a limit. Raises LimitNotFound, and LimitInUse where a job names it."""
        known = self.store.limits.slots()
        if name not in known:
            raise LimitNotFound(name, known=known)
        self.store.jobs.apply([Change(op="limit", name=name)])
