"""What the leader decides about a job that is due, before it is carried out, and by what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jober.ledger import Decision
from jober.schedule import Calendar, Schedule, calendar_names, parse
from jober.schema import READ_UP_TO, SCHEMA, check_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class FirePolicy:
    """What planning needs of a definition: much less than all of it, and shared by equal jobs."""

    schedule: Schedule | None
    queue: str  # the canonical role expression
    on: str | int  # "any", "every", or on how many hosts
    prefer: str
    roles: str  # as a reason tells them
    catch_up: str
    catch_up_limit: int
    catch_up_window_ms: int | None
    max_fires: int | None
    schema: int = SCHEMA

    @classmethod
    def read(
        cls, name: str, schedule: str, policy: str, calendars: "Calendars | None" = None
    ) -> "FirePolicy":
        """The policy of two JSON texts, as the store keeps them, in the calendars there are.
        Raises ScheduleError, and NewerSchema."""
        # Only these make the name of the job count: H and ~ spread by it, jitter is drawn by it.
        own = name if any(mark in schedule for mark in ("H", "~", "jitter")) else ""
        named = calendars if '"exclude"' in schedule else None
        read = _read(own, schedule, policy, named)
        if read.schema > READ_UP_TO:
            check_schema(f"job '{name}'", read.schema)
        return read


class Calendars:
    """The calendars at one revision. Compared by identity, so that policies can be kept by them."""

    def __init__(self, revision: int, by_name: Mapping[str, Calendar]) -> None:
        self.revision = revision
        self.by_name = by_name


@lru_cache(maxsize=20_000)
def _read(name: str, schedule: str, policy: str, calendars: Calendars | None) -> FirePolicy:
    facts = json.loads(policy)
    if (schema := facts.get("schema", SCHEMA)) > READ_UP_TO:
        # Of what a later version has written nothing else is read.
        return FirePolicy(
            schedule=None,
            queue="",
            on="any",
            prefer="least",
            roles="",
            catch_up="none",
            catch_up_limit=0,
            catch_up_window_ms=None,
            max_fires=None,
            schema=schema,
        )
    spec = json.loads(schedule) if schedule else None
    window = facts.get("catch_up_window")
    return FirePolicy(
        schedule=_schedule(spec, name, calendars) if spec else None,
        queue=facts["queue"],
        on=facts["on"],
        prefer=facts.get("prefer", "least"),
        roles=facts["roles"],
        catch_up=facts["catch_up"],
        catch_up_limit=facts["catch_up_limit"],
        catch_up_window_ms=None if window is None else round(window * 1000),
        max_fires=facts.get("max_fires"),
        schema=schema,
    )


def _schedule(spec: dict[str, Any], name: str, calendars: Calendars | None) -> Schedule:
    """The schedule; a calendar that is gone, or cannot be read, counts as one without days."""
    known = dict(calendars.by_name) if calendars else {}
    for named in calendar_names(spec):
        known.setdefault(named, Calendar.missing(named))
    return parse(spec, spec.pop("timezone", None), name=name, calendars=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """A run to make: its id, and the host that it is bound to, or (`may_move`) that it goes to
    first; any host where there is none."""

    id: str
    host: str | None = None
    may_move: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFire:
    """One decision. `missed` tells of `count` fires, from `first_ms` to `at_ms`, and why; `short`,
    beside one that fired, why it did on fewer hosts than were asked for."""

    at_ms: int
    decision: Decision
    runs: tuple[PlannedRun, ...] = ()
    reason: str | None = None
    first_ms: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FirePlan:
    """What is to happen to one job: its decisions, its new cursor, its next due moment. With
    `told_ms` it waits for a host: up to there its fires were told as missed, and it is planned
    anew when a host comes. `placed` is what is to be remembered of where the job ran; `orders` are
    those of its runs by their ids, where they are signed."""

    name: str
    revision: int
    cursor_ms: int
    next_ms: int | None
    told_ms: int | None = None
    fires: tuple[PlannedFire, ...] = ()
    placed: tuple[str, ...] | None = None
    orders: tuple[tuple[str, str], ...] = ()

    def runs(self) -> list[PlannedRun]:
        """All that it makes."""
        return [run for fire in self.fires for run in fire.runs]
