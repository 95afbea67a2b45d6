"""Who asks, and which jobs they see."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from jober.access.scope import Scope
from jober.errors import DefinitionError
from jober.roles import ROLE_NAME, parse_roles

# A job file may have any text as a tag; a limit names such as these.
_TAG = re.compile(r"[^\s,]{1,100}")
_AT_MOST = 100


class HasPlace(Protocol):
    """What the limits of somebody look at: a job."""

    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def roles(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody who has proved who they are, and what they may do.

    `tags` and `roles` limit them to jobs that have one of these tags, and to jobs that run
    nowhere but on hosts with one of these roles; both narrow, None is no limit, and an empty set
    sees nothing. `credential` tells by what they came, as `session:…` or `token:…`, without its
    secret; `user` is the name of the user record that stands behind it, where there is one.
    """

    name: str
    scope: Scope
    tags: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    credential: str = ""
    user: str | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there are jobs that they may not see. They see nothing of the fleet as a whole
        then, since its counts would tell of those."""
        return self.tags is not None or self.roles is not None

    def may(self, needed: Scope) -> bool:
        return self.scope >= needed

    def sees(self, job: HasPlace | None) -> bool:
        """Whether they may know of the job. None is what belongs to no job: a run of its own, an
        application's RQ job, something about the fleet."""
        if not self.is_limited:
            return True
        if job is None:
            return False
        if self.tags is not None and self.tags.isdisjoint(job.tags):
            return False
        return self.roles is None or all(
            not self.roles.isdisjoint(place.having) for place in parse_roles(job.roles)
        )

    def may_change(self, *jobs: HasPlace | None) -> bool:
        """Whether they may run, stop or define these: with a definition that changes, the old and
        the new one, so that nobody moves a job into or out of their limits."""
        return self.may(Scope.OPERATOR) and all(self.sees(job) for job in jobs)

    def narrowed(
        self, scope: Scope, tags: frozenset[str] | None, roles: frozenset[str] | None
    ) -> "Who":
        """The same one, with no more than these rights."""
        return replace(
            self,
            scope=min(self.scope, scope),
            tags=_both(self.tags, tags),
            roles=_both(self.roles, roles),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, for the audit log: `name`, `via` what (a credential, or `cli`), and from
    which address or host."""

    name: str
    via: str
    address: str = ""


def check_names(told: Iterable[str] | None, field: str) -> frozenset[str] | None:
    """Tags or roles that somebody is limited to; None, or none of them, is no limit.

    Raises DefinitionError."""
    names = frozenset(told or ())
    form = ROLE_NAME if field == "roles" else _TAG
    for name in sorted(names, key=str):
        if not isinstance(name, str) or not form.fullmatch(name):
            raise DefinitionError(
                f"{str(name)[:60]!r} is no {field.removesuffix('s')}",
                field=field,
                value=name,
                mend="plain names, of 100 characters at the most, given once for each",
            )
    if len(names) > _AT_MOST:
        raise DefinitionError(
            f"{len(names)} {field} are too many", field=field, mend=f"at most {_AT_MOST}"
        )
    return names or None


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
