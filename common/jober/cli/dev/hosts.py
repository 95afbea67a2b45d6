"""The pretended hosts: as few as can be, and together with every role that the jobs ask for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jober.errors import DefinitionError
from jober.ids import check_host_name
from jober.job import Job
from jober.roles import DEFAULT_ROLE, RoleExpression, matches, parse_agent_roles, parse_roles

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A pretended host."""

    name: str
    roles: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(sorted(self.roles))})"


def parse_hosts(texts: Iterable[str]) -> list[Host]:
    """`alpha=adder,web` and so on; a name alone has the role `default`.

    Raises DefinitionError.
    """
    found: dict[str, Host] = {}
    for text in texts:
        name, _, roles = text.partition("=")
        check_host_name(name)
        if name in found:
            raise DefinitionError(
                f"host '{name}' is given twice", field="--agent", mend="give its roles together"
            )
        found[name] = Host(name=name, roles=parse_agent_roles(roles))
    return list(found.values())


def hosts_for(jobs: Sequence[Job]) -> list[Host]:
    """Two hosts with the roles of the jobs shared out between them, so that each job has a
    host; more only where the roles of a job exclude one another's.

    Roles that one expression asks for together stay together. Where there is but one such
    group, both hosts have it.
    """
    wanted = [one for job in jobs for one in parse_roles(job.roles)]
    groups = _groups(wanted) or [frozenset({DEFAULT_ROLE})]
    shared: list[set[str]] = [set(), set()]
    for place, group in enumerate(groups):
        shared[place % 2] |= group
    if len(groups) == 1:
        shared[1] |= groups[0]
    for job in jobs:
        if not any(matches(job.queue, frozenset(roles)) for roles in shared):
            shared.append(_host_of_its_own(parse_roles(job.roles)[0]))
    return [Host(name=_name(place), roles=frozenset(roles)) for place, roles in enumerate(shared)]


def unserved(jobs: Iterable[Job], hosts: Sequence[Host]) -> list[Job]:
    """The jobs that no host may run."""
    return [job for job in jobs if not any(matches(job.queue, host.roles) for host in hosts)]


def _groups(wanted: Iterable[RoleExpression]) -> list[frozenset[str]]:
    """The roles, those together that some expression has together; in order of their names."""
    groups: list[set[str]] = []
    for one in wanted:
        merged = set(one.having)
        for group in [group for group in groups if group & merged]:
            groups.remove(group)
            merged |= group
        if merged:
            groups.append(merged)
    return sorted((frozenset(group) for group in groups), key=sorted)


def _host_of_its_own(expression: RoleExpression) -> set[str]:
    """The roles of a host that the expression matches for certain."""
    if expression.having:
        return set(expression.having)
    return {
        next(role for role in (DEFAULT_ROLE, "other", "another") if role not in expression.lacking)
    }


def _name(place: int) -> str:
    return NAMES[place] if place < len(NAMES) else f"host{place + 1}"
