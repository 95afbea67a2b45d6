"""Which jobs are looked for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Jobs whose name has `text`, with a `tag`, that name a `role`, that are `paused` or not; and
    of those `of_tags` or `of_roles`, where either is told. What is None, or empty, is not asked
    for."""

    text: str = ""
    tag: str | None = None
    role: str | None = None
    paused: bool | None = None
    of_tags: frozenset[str] = frozenset()
    of_roles: frozenset[str] = frozenset()

    def takes_name(self, name: str) -> bool:
        """Whether the name is of those looked for, whatever else the job says."""
        return self.text.lower() in name.lower()

    def takes(self, spec: Mapping[str, Any], paused: bool) -> bool:
        """Whether a job of that name is, by its definition and state."""
        tags, roles = frozenset(spec.get("tags", ())), frozenset(spec.get("roles", ()))
        named = {part.lstrip("!") for role in roles for part in role.split("+")}
        return (
            (self.tag is None or self.tag in tags)
            and (self.role is None or self.role in named or self.role in roles)
            and self.paused in (None, paused)
            and (
                not (self.of_tags or self.of_roles)
                or bool(self.of_tags & tags)
                or bool(self.of_roles & roles)
            )
        )

    @property
    def looks_at_records(self) -> bool:
        """Whether names alone do not tell."""
        return self != JobFilter(text=self.text)
