"""Fires to come in the rows of a timeline: by job, or by the hosts that their runs will be on.

`on = "every"` makes a run on each host that serves the roles: its fires stand in the row of each.
Where a run goes to one of several hosts, or to some, nobody knows yet to which: such fires have a
row for themselves, "any of db", and so have those that no host would take now.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jober.client.finding import Coming
from jober.placement import Roster
from jober.words import count, duration
from jober_web.pages.plots.timeline import Band, Mark
from jober_web.pages.views.window import Window
from jober_web.pages.wall import Wall

# So many marks have room beside one another.
_MARKS = 90
# So many names are told of a band, or of the hosts that might be chosen.
_TOLD = 5

Told = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row of fires: the one of a host, or else of all that go somewhere in `queue`; `hosts` are
    those that might be chosen."""

    name: str
    queue: str | None = None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where the runs of a job go: `on` so many of the hosts that serve `queue`, or on every one."""

    on: str | int
    queue: str


def places_of(where: Where, roster: Roster) -> tuple[Place, ...]:
    """The rows that the fires of such a job stand in, as the hosts are now."""
    hosts = roster.hosts_for(where.queue)
    wanted = where.queue.replace("|", " or ")
    if not hosts:
        return (Place(name=f"no host for {wanted}", queue=where.queue),)
    number = len(hosts) if where.on == "every" else 1 if where.on == "any" else int(where.on)
    if number >= len(hosts):
        return tuple(Place(name=host) for host in hosts)
    word = "any" if number == 1 else str(number)
    return (Place(name=f"{word} of {wanted}", queue=where.queue, hosts=hosts),)


def by_place(
    coming: Sequence[Coming], wheres: Mapping[str, Where], roster: Roster
) -> dict[Place, list[Coming]]:
    """The fires of each row."""
    found: dict[Place, list[Coming]] = {}
    for one in coming:
        for place in places_of(wheres[one.job], roster):
            found.setdefault(place, []).append(one)
    return found


def marks_of(
    coming: Sequence[Coming], window: Window, wall: Wall, place: Place | None = None
) -> tuple[tuple[Mark, ...], Band | None]:
    """The fires of a row: marks, or a band where there are too many for marks."""
    fires = sorted((fire, one.job) for one in coming for fire in one.fires_ms)
    if not fires:
        return (), None
    where = _where(place)
    kind = "fire" if place is None or place.queue is None else "open"
    first, last = fires[0][0], fires[-1][0]
    room = (window.end_ms - window.start_ms) / _MARKS
    if len(fires) > 2 and (last - first) / (len(fires) - 1) < room:
        end = window.end_ms if any(one.is_cut for one in coming) else last
        title = f"{_every(coming)}{where}, from {wall.full(first)}"
        return (), Band(start_ms=first, end_ms=end, title=title, kind=kind)
    return tuple(
        Mark(at_ms=fire, kind=kind, title=f"{job} fires at {wall.full(fire)}{where}")
        for fire, job in fires
    ), None


def _where(place: Place | None) -> str:
    """What is known of where a run goes."""
    if place is None:
        return ""
    if place.queue is None:
        return f" on {place.name}"
    if not place.hosts:
        return ": no live host has such a role"
    return f" on {place.name.partition(' of ')[0]} of {_some(place.hosts)}"


def _every(coming: Sequence[Coming]) -> str:
    """How often fires come that are too many for marks."""
    if len(coming) > 1:
        times = count(sum(len(one.fires_ms) for one in coming), "time")
        return f"{_some([one.job for one in coming])} fire {times} and more"
    [one] = coming
    gap = (one.fires_ms[-1] - one.fires_ms[0]) / (len(one.fires_ms) - 1)
    return f"{one.job} fires every {duration(gap / 1000)} or so"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")
