"""Which jobs are looked for. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Jobs whose name has `text`, whatever its case, with a `tag`, that ask for a `role`, that are
    `paused` or not; and of those `of_tags` or `of_roles`, where either is told. What is None, or
    empty, is not asked for. A role is one of those in an expression, or all of it: `db+!spare`."""

    text: str = ""
    tag: str | None = None
    role: str | None = None
    paused: bool | None = None
    of_tags: frozenset[str] = frozenset()
    of_roles: frozenset[str] = frozenset()
