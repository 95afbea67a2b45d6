"""Whoever asks, and what they may do. Pure."""

from dataclasses import dataclass
from enum import IntEnum

from jober.job import Job


class Scope(IntEnum):
    """How much one may do: each scope may what those below it may."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who asks. With `tags` or `roles`, only of jobs that have one of them."""

    name: str
    scope: Scope
    tags: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def sees(self, job: Job) -> bool:
        """Whether the job, and its runs, are any business of theirs."""
        if not self.tags and not self.roles:
            return True
        return bool(self.tags & set(job.tags)) or bool(self.roles & set(job.roles))

    def may_change(self, job: Job) -> bool:
        """Whether they may run, pause and cancel it."""
        return self.scope >= Scope.OPERATOR and self.sees(job)
