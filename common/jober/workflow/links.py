"""What a job has to do with others: what it waits for, and what it starts."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PERCENT = re.compile(r"(\d{1,3})%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The names of the jobs that a job `needs` and that it waits for, and of those that are run
    when a run of it has ended well or badly."""

    needs: tuple[str, ...] = ()
    wait_for: tuple[str, ...] = ()
    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()

    @property
    def before(self) -> tuple[str, ...]:
        """The jobs that it comes after."""
        return (*self.needs, *self.wait_for)

    @property
    def starts(self) -> tuple[str, ...]:
        """The jobs that it starts."""
        return (*self.on_success, *self.on_failure)

    @property
    def named(self) -> tuple[str, ...]:
        return (*self.before, *self.starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What a run waits for before it goes to its queue. It is skipped where the last success of
    its job is younger than `fresh_for_ms`. `quorum`: on how many of the hosts of a needed job its
    runs must have succeeded, a number or a share as "80%"; None is on all of them."""

    needs: tuple[str, ...] = ()
    wait_for: tuple[str, ...] = ()
    quorum: int | str | None = None
    fresh_for_ms: int | None = None

    @property
    def jobs(self) -> tuple[str, ...]:
        return (*self.needs, *self.wait_for)

    def __bool__(self) -> bool:
        return bool(self.needs or self.wait_for or self.fresh_for_ms)

    def with_needs(self, jobs: tuple[str, ...]) -> "Waits":
        """The same, that waits for the success of these too."""
        more = tuple(job for job in dict.fromkeys(jobs) if job not in self.jobs)
        return Waits(
            needs=(*self.needs, *more),
            wait_for=self.wait_for,
            quorum=self.quorum,
            fresh_for_ms=self.fresh_for_ms,
        )

    def to_json(self) -> str:
        """As Redis keeps it; empty where nothing is waited for."""
        told: dict[str, Any] = {}
        if self.needs:
            told["needs"] = self.needs
        if self.wait_for:
            told["wait_for"] = self.wait_for
        if self.quorum is not None:
            told["quorum"] = self.quorum
        if self.fresh_for_ms:
            told["fresh_for_ms"] = self.fresh_for_ms
        return json.dumps(told) if self else ""

    @classmethod
    def read(cls, text: str) -> "Waits":
        told: Mapping[str, Any] = json.loads(text) if text else {}
        return cls(
            needs=tuple(told.get("needs", ())),
            wait_for=tuple(told.get("wait_for", ())),
            quorum=told.get("quorum"),
            fresh_for_ms=told.get("fresh_for_ms"),
        )


def quorum_of(quorum: int | str | None, runs: int) -> int:
    """How many of so many runs have to succeed, at least one.

    >>> quorum_of(None, 5), quorum_of(3, 5), quorum_of("80%", 6)
    (5, 3, 5)

    Raises ValueError for what is neither a number nor a share.
    """
    if quorum is None:
        return runs
    if isinstance(quorum, int):
        return quorum
    found = _PERCENT.fullmatch(quorum)
    if not found or not 1 <= int(found[1]) <= 100:
        raise ValueError(f"'{quorum}' is no share from 1% to 100%")
    return max(1, math.ceil(runs * int(found[1]) / 100))
