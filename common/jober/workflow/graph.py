"""Which jobs come before which. Pure.

A job comes after those that it needs or waits for; those that it starts come after it. No job may
come after itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from jober.workflow.links import Links

Kind = Literal["needs", "wait_for", "on_success", "on_failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dangling:
    """A job names another that is not there, in one of its fields."""

    job: str
    field: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The job `later` comes after `earlier`, by a field of either."""

    earlier: str
    later: str
    kind: Kind


class Graph:
    """The jobs by name, each with its links; what is named and is not there is left out."""

    def __init__(self, links: Mapping[str, Links]) -> None:
        self._links = links
        self._after: dict[str, list[str]] = {name: [] for name in links}
        self._before: dict[str, list[str]] = {name: [] for name in links}
        for name, of_job in links.items():
            for earlier in of_job.before:
                self._join(earlier, name)
            for later in of_job.starts:
                self._join(name, later)

    def _join(self, earlier: str, later: str) -> None:
        if earlier in self._after and later in self._before and later not in self._after[earlier]:
            self._after[earlier].append(later)
            self._before[later].append(earlier)

    def __contains__(self, name: str) -> bool:
        return name in self._links

    def links(self, name: str) -> Links:
        return self._links[name]

    def after(self, name: str) -> tuple[str, ...]:
        """The jobs that come right after one."""
        return tuple(self._after[name])

    def before(self, name: str) -> tuple[str, ...]:
        """The jobs that come right before one."""
        return tuple(self._before[name])

    def needed_by(self, name: str) -> tuple[str, ...]:
        """Those that need it, or wait for it."""
        return tuple(one for one in self._after[name] if name in self._links[one].before)

    @property
    def linked(self) -> tuple[str, ...]:
        """The jobs that have to do with any other."""
        return tuple(name for name in self._links if self._after[name] or self._before[name])

    def around(self, name: str) -> tuple[str, ...]:
        """The job, and all that come before and after it, in the order of `order`."""
        found = {name}
        for step in (self.before, self.after):
            waiting = [name]
            while waiting:
                new = [one for one in step(waiting.pop()) if one not in found]
                found.update(new)
                waiting += new
        return self.order(found)

    def order(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """The jobs, each after those that it comes after; else as they are given."""
        wanted = set(self._links if names is None else names)
        done: dict[str, None] = {}
        for name in self._links:
            if name in wanted:
                for one in self._with_all_before(name, done):
                    done[one] = None
        return tuple(one for one in done if one in wanted)

    def _with_all_before(self, name: str, done: Mapping[str, None]) -> Iterator[str]:
        """It and all before it that is not done, the first first; loops are cut."""
        path: list[tuple[str, Iterator[str]]] = [(name, iter(self._before[name]))]
        seen = {name, *done}
        if name in done:
            return
        while path:
            one, rest = path[-1]
            following = next((other for other in rest if other not in seen), None)
            if following is None:
                yield one
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(self._before[following])))

    def levels(self, names: Iterable[str]) -> dict[str, int]:
        """How many steps after the first each of them comes."""
        level: dict[str, int] = {}
        for name in self.order(names):
            level[name] = 1 + max((level.get(one, -1) for one in self._before[name]), default=-1)
        return level

    def loop(self) -> tuple[str, ...] | None:
        """A loop, from a job round to itself; None where there is none."""
        done: set[str] = set()
        for start in self._links:
            path: list[str] = []
            stack: list[tuple[str, Iterator[str]]] = []
            one: str | None = start if start not in done else None
            while one is not None or stack:
                if one is not None:
                    path.append(one)
                    stack.append((one, iter(self._after[one])))
                at, rest = stack[-1]
                one = next((other for other in rest if other not in done), None)
                if one is None:
                    done.add(at)
                    stack.pop()
                    path.pop()
                elif one in path:
                    return (*path[path.index(one) :], one)
        return None

    def edges(self, names: Iterable[str]) -> Iterator[Edge]:
        """How these jobs come after one another."""
        among = set(names)
        for name in self._links:
            for later in self._after[name] if name in among else ():
                if later in among:
                    yield Edge(earlier=name, later=later, kind=self._kind(name, later))

    def _kind(self, earlier: str, later: str) -> Kind:
        before, after = self._links[later], self._links[earlier]
        if earlier in before.needs:
            return "needs"
        if earlier in before.wait_for:
            return "wait_for"
        return "on_success" if later in after.on_success else "on_failure"

    def dangling(self) -> Iterator[Dangling]:
        """What is named and is not there."""
        for job, links in self._links.items():
            for field in ("needs", "wait_for", "on_success", "on_failure"):
                for name in getattr(links, field):
                    if name not in self._links:
                        yield Dangling(job=job, field=field, name=name)
