"""Roles: what a host is for, and which hosts a job wants.

An agent *has* roles, plain names, or `*` for all of them. A job *asks* for them with role
expressions: `a` (hosts with a), `a+b` (both), `a+!b` (a, and not b); a list of them means any of
the list.
An expression of negatives alone is allowed: `!gpu` is every host without gpu.

What a job asks has one canonical text, and that text is the name of the RQ queue its runs
wait in: alternatives sorted and joined by `|`, terms sorted (positives first) and joined
by `+`. So two jobs that ask the same share a queue, an application's own queue `adder` is
served by the hosts with role adder, and no name holds a comma, which RQ joins names by.
Runs of another priority than the default wait in a queue of their own beside it, `adder^9`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jober.errors import DefinitionError
from jober.ids import check_host_name

DEFAULT_ROLE = "default"
# What an agent has that has every role; but a role that begins with a dot is had by name alone.
ANY_ROLE = "*"
ROLE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
EXPRESSIONS_AT_MOST = 100
DEFAULT_PRIORITY = 5

_TERM = r"!?[A-Za-z0-9_.-]{1,100}"
# Compiled where the first queue is read: it takes longer than all else here.
_QUEUE = rf"{_TERM}(?:\+{_TERM})*(?:\|{_TERM}(?:\+{_TERM})*)*"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleExpression:
    """Hosts that have every role of `having` and none of `lacking`."""

    having: frozenset[str]
    lacking: frozenset[str]

    def matches(self, roles: frozenset[str]) -> bool:
        """Whether a host with `roles` is meant. One that has any role lacks whatever it should."""
        if ANY_ROLE in roles:
            return all(role in roles for role in self.having if role.startswith("."))
        if not self.having and all(role.startswith(".") for role in roles):
            return False  # what has no role but such is for those who name it
        return self.having <= roles and not (self.lacking & roles)

    def covers(self, other: "RoleExpression") -> bool:
        """Whether every host that `other` means is meant by this one too."""
        return self.having <= other.having and self.lacking <= other.lacking

    def __str__(self) -> str:
        return "+".join([*sorted(self.having), *(f"!{role}" for role in sorted(self.lacking))])


def parse_expression(text: str) -> RoleExpression:
    """The value of `a`, `a+b` or `a+!b`; a DefinitionError for `roles` where it is none.

    >>> str(parse_expression("!gpu + db"))
    'db+!gpu'
    """
    having: set[str] = set()
    lacking: set[str] = set()
    for term in text.split("+"):
        role = term.strip()
        negative = role.startswith("!")
        role = role.removeprefix("!")
        if not ROLE_NAME.fullmatch(role):
            raise _not_an_expression(text, role)
        (lacking if negative else having).add(role)
    if both := sorted(having & lacking):
        raise DefinitionError(
            f"'{text}' asks for '{both[0]}' and against it, so no host ever matches",
            field="roles",
            value=text,
            mend=f"drop '{both[0]}' or '!{both[0]}'",
        )
    return RoleExpression(having=frozenset(having), lacking=frozenset(lacking))


def parse_roles(roles: Sequence[str]) -> tuple[RoleExpression, ...]:
    """Any of `roles`, canonical: sorted, nothing twice, nothing that another covers.

    No roles at all mean the role `default`.
    """
    if len(roles) > EXPRESSIONS_AT_MOST:
        raise DefinitionError(
            f"{len(roles)} role expressions are too many",
            field="roles",
            value=list(roles),
            mend=f"at most {EXPRESSIONS_AT_MOST}; give those hosts a role of their own",
        )
    wanted = {parse_expression(text) for text in roles or (DEFAULT_ROLE,)}
    needed = (
        one for one in wanted if not any(other is not one and other.covers(one) for other in wanted)
    )
    return tuple(sorted(needed, key=str))


def queue_name(roles: Sequence[str]) -> str:
    """The RQ queue of what a job asks for.

    >>> queue_name(["web", "db+!primary"])
    'db+!primary|web'
    >>> queue_name([])
    'default'
    """
    return "|".join(map(str, parse_roles(roles)))


def priority_queue(queue: str, priority: int) -> str:
    """The queue for runs of a priority, 0 to 9: its own, but for that of the default.

    >>> priority_queue("adder", 5), priority_queue("adder", 9)
    ('adder', 'adder^9')
    """
    return queue if priority == DEFAULT_PRIORITY else f"{queue}^{priority}"


def split_priority(queue: str) -> tuple[str, int]:
    """A queue without the priority in its name, and that.

    >>> split_priority("@db1^0"), split_priority("adder")
    (('@db1', 0), ('adder', 5))
    """
    if len(queue) > 2 and queue[-2] == "^" and queue[-1] in "0123456789":
        return queue[:-2], int(queue[-1])
    return queue, DEFAULT_PRIORITY


def host_queue(host: str) -> str:
    """The RQ queue of one host alone: `@<host>`. No role expression has such a name."""
    return f"@{check_host_name(host)}"


def is_host_queue(queue: str) -> bool:
    """Whether `queue` is the queue of one host alone."""
    return queue.startswith("@")


@lru_cache(maxsize=16_384)
def matches(queue: str, roles: frozenset[str]) -> bool:
    """Whether a host with `roles` serves `queue`.

    A name that is no role expression (some application's `high:prio`, or the queue of a
    host) is served by no role. The priority in a name asks for nothing.
    """
    return any(one.matches(roles) for one in _alternatives(split_priority(queue)[0]))


def parse_agent_roles(text: str | None) -> frozenset[str]:
    """The roles an agent has, from its `--roles`: names joined by commas or pluses.

    >>> sorted(parse_agent_roles("adder,db+primary"))
    ['adder', 'db', 'primary']
    >>> sorted(parse_agent_roles(None))
    ['default']
    """
    if text is None or not text.strip():
        return frozenset({DEFAULT_ROLE})
    return check_agent_roles(part.strip() for part in re.split(r"[,+]", text))


def check_agent_roles(roles: Iterable[str]) -> frozenset[str]:
    """The same roles as a set, `default` where there are none; each has to be a plain name."""
    given = list(roles)
    for role in given:
        if not isinstance(role, str):
            raise DefinitionError(
                f"{role!r:.60} is not text", field="roles", value=role, mend="roles = ['db', 'web']"
            )
    names = frozenset(given)
    for role in sorted(names):
        if role.startswith("!"):
            raise DefinitionError(
                f"an agent has roles, and cannot have '{role}'",
                field="roles",
                value=role,
                mend="name what the host has; a job is what says '!'",
            )
        if role != ANY_ROLE and not ROLE_NAME.fullmatch(role):
            raise DefinitionError(
                f"'{role}' is not a role name" if role else "a role name is empty",
                field="roles",
                value=role,
                mend="names of letters, digits, '_', '.' and '-', at most 100 characters, "
                "with a comma between them",
            )
    return names or frozenset({DEFAULT_ROLE})


def served(queues: Iterable[str], has: frozenset[str], host: str) -> list[str]:
    """The queues that an agent with the roles `has` serves, its own that are not there yet too:
    of the higher priority first, and of equal ones its host's first, then those that match.

    >>> served(["db^9", "db+!x", "web", "@h2"], frozenset({"db"}), "h1")
    ['db^9', '@h1', 'db', 'db+!x']
    """
    own = host_queue(host)
    found = {own, *(has - {ANY_ROLE})}
    for queue in queues:
        base, _ = split_priority(queue)
        if base == own or matches(queue, has):
            found.add(queue)

    def turn(queue: str) -> tuple[int, bool, str]:
        base, priority = split_priority(queue)
        return -priority, base != own, queue

    return sorted(found, key=turn)


@lru_cache(maxsize=16_384)
def _alternatives(queue: str) -> tuple[RoleExpression, ...]:
    if not re.fullmatch(_QUEUE, queue):
        return ()
    alternatives = []
    for text in queue.split("|"):
        try:
            alternatives.append(parse_expression(text))
        except DefinitionError:  # `a+!a`, in a name that some application made up
            continue
    return tuple(alternatives)


def _not_an_expression(text: str, role: str) -> DefinitionError:
    if not text.strip():
        problem, mend = "a role expression is empty", "roles = [] means the role 'default'"
    elif separator := re.search(r"[,|]", text):
        alternatives = ", ".join(f'"{part.strip()}"' for part in re.split(r"[,|]", text))
        problem = f"'{text}' holds a '{separator[0]}'"
        mend = f"alternatives are a list: roles = [{alternatives}]"
    else:
        problem = f"'{text}' is not a role expression"
        problem += f": '{role}' is not a role name" if role else ": a role name is missing"
        mend = "'a', 'a+b' (both) or 'a+!b' (a, not b), names of letters, digits, '_', '.', '-'"
    return DefinitionError(problem, field="roles", value=text, mend=mend)
