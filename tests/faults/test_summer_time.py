"""Both nights of a year in which the clocks change, in twenty zones: a real leader on a real Redis,
whose clock leaps from one fire to the next; it is replaced in between, and once for an hour there
is none. What is to fire is counted minute by minute on the wall clock, by other code than ours."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytz

from jober.agent_info import AgentInfo
from jober.clock import RedisClock, from_ms, to_ms
from jober.job import Job
from jober.ledger import Decision
from jober.store import Store
from jober.store.changes import Change
from jober_scheduler import ticker as ticker_module
from jober_scheduler.elector import Elector
from jober_scheduler.ticker import Ticker

YEAR = 2024
MINUTE = timedelta(minutes=1)
NOTHING = timedelta()
BEFORE = 8 * 60
AFTER = 30 * 60
ZONES = [
    "Africa/Cairo",  # at midnight
    "Africa/Casablanca",  # for a month, backwards
    "America/Asuncion",  # at midnight, in the south
    "America/Havana",  # at midnight
    "America/Nuuk",
    "America/New_York",
    "America/Santiago",  # at midnight, in the south
    "America/St_Johns",  # half an hour off
    "Antarctica/Troll",  # by two hours
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Atlantic/Azores",
    "Australia/Lord_Howe",  # by half an hour
    "Australia/Sydney",
    "Europe/Dublin",  # winter is the time that is saved
    "Europe/London",
    "Europe/Warsaw",
    "Pacific/Chatham",  # a quarter of an hour off
    "Pacific/Easter",
]


class LeapingClock(RedisClock):
    """Where there is nothing to do, it is at once the moment that is waited for, up to `until`."""

    def __init__(self, now_ms: int) -> None:
        super().__init__()
        self.now = self.until = now_ms
        self.has_leapt = threading.Event()

    def observe(self, redis_ms: float, sent_at: float, received_at: float) -> None:
        pass

    def now_ms(self) -> int:
        return self.now

    def now_ms_exact(self) -> float:
        return self.now

    def seconds_until(self, moment_ms: float) -> float:
        if moment_ms > self.until:
            self.now = self.until
            self.has_leapt.set()
            return 3600.0
        self.now = max(self.now, int(moment_ms))
        return 0.0


def wall_clock(
    zone: str, start: datetime, minutes: int, step: int = 1
) -> Iterator[tuple[datetime, datetime]]:
    """Each minute, or each `step` of them, and what the clock on the wall shows then."""
    with pytz.open_resource(zone) as file:  # type: ignore[attr-defined]
        there = ZoneInfo.from_file(file, zone)
    for minute in range(0, minutes, step):
        moment = start + minute * MINUTE
        yield moment, moment.astimezone(there).replace(tzinfo=None)


def change_of(zone: str, *, forward: bool) -> tuple[datetime, timedelta]:
    """The moment in the year at which the clock changes so, and by how much."""
    before, year = None, datetime(YEAR, 1, 1, tzinfo=UTC)
    for moment, wall in wall_clock(zone, year, 366 * 24 * 60, 30):
        if before is not None and (by := wall - before - 30 * MINUTE) and (by > NOTHING) is forward:
            return moment, by
        before = wall
    raise AssertionError(f"no such change in {zone}")


def lead_until(store: Store, clock: LeapingClock, until: datetime, node: str) -> None:
    """A leader of its own does all that is due up to a moment."""
    clock.has_leapt.clear()
    clock.until = to_ms(until)
    elector = Elector(store, node)
    ticker = Ticker(store, elector)
    elector.start()
    ticker.start()
    try:
        assert clock.has_leapt.wait(30)
    finally:
        ticker.stop()
        elector.stop()


def join(store: Store) -> None:
    roles = frozenset({"default"})
    info = AgentInfo(id="h-aaaaaa", host="h", pid=1, roles=roles, slots=1, version="0")
    store.agents.join(info, ["default"])


def put(store: Store, name: str, from_ms: int, **fields: object) -> None:
    """A job that has been decided on up to a moment."""
    job = Job.from_spec(name, {"command": "true", "overlap": "allow", "catch_up": "all", **fields})
    store.jobs.apply([Change(op="put", name=name, job=job)])
    store.connection.command(
        *("HSET", f"jober:job:{name}", "cursor", from_ms, "anchor", from_ms, "floor", 0)
    )
    store.connection.command("ZADD", "jober:due", from_ms, name)


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> LeapingClock:
    clock = LeapingClock(0)
    store.clock = store.connection.clock = clock
    # All that comes is seen from where the clock stands.
    monkeypatch.setattr(ticker_module, "LOOK_AHEAD_MS", 10 * 86_400_000)
    return clock


@pytest.mark.parametrize("forward", [True, False], ids=["spring", "autumn"])
@pytest.mark.parametrize("zone", ZONES)
def test_each_fire_of_the_night_makes_one_run_whoever_leads(
    store: Store, clock: LeapingClock, zone: str, forward: bool
) -> None:
    change, by = change_of(zone, forward=forward)
    start, end = change - BEFORE * MINUTE, change + AFTER * MINUTE
    shown = list(wall_clock(zone, start + MINUTE, BEFORE + AFTER))
    [wall] = [wall for moment, wall in shown if moment == change]
    missing = wall - by / 2  # in the middle of what is left out, or shown twice
    clock.now = clock.until = to_ms(start)
    join(store)
    daily = f"{missing.minute} {missing.hour} * * *"
    put(store, "often", clock.now, cron="*/20 * * * *", timezone=zone)
    put(store, "interval", clock.now, every=25 * 60, timezone=zone)
    put(store, "fixed", clock.now, cron=daily, timezone=zone)
    put(store, "other", clock.now, cron=daily, timezone=zone, dst_gap="skip", dst_repeat="last")
    put(store, "both", clock.now, cron=daily, timezone=zone, dst_repeat="both")

    lead_until(store, clock, change - 25 * MINUTE, "a:1:aaaaaa")
    if ZONES.index(zone) % 2:
        clock.now = to_ms(change + 35 * MINUTE)  # nobody has led meanwhile
    lead_until(store, clock, change + 45 * MINUTE, "b:1:aaaaaa")
    lead_until(store, clock, change + 65 * MINUTE, "c:1:aaaaaa")
    lead_until(store, clock, end, "d:1:aaaaaa")

    shown_at = [(moment, wall) for moment, wall in shown if wall.time() == missing.time()]
    twice = [moment for moment, wall in shown_at if wall == missing]
    others = [moment for moment, wall in shown_at if wall != missing]
    assert (len(twice), len(others) > 0) == (0 if forward else 2, True)
    fires = {
        "often": [moment for moment, wall in shown if wall.minute % 20 == 0],
        "interval": [start + n * MINUTE for n in range(25, BEFORE + AFTER + 1, 25)],
        "fixed": [*others, *([change] if forward else twice[:1])],
        "other": [*others, *twice[1:]],
        "both": [*others, *([change] if forward else twice)],
    }
    for name, moments in fires.items():
        ledger = store.events.ledger(name, 1000)
        assert {entry.decision for entry in ledger} == {Decision.FIRED}
        assert sorted(from_ms(entry.fire_at_ms) for entry in ledger) == sorted(moments), name
        made = [run.id for run in store.runs.page(name, limit=1000)]
        assert sorted(made) == sorted(str(entry.run) for entry in ledger)
