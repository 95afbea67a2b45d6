"""Calendars in Redis: written with the jobs that name them, and felt by those at once."""

from jober.job import Job
from jober.schedule import Calendar
from jober.store import Store
from jober.store.changes import Change
from tests.store.hand import Hand

HOLIDAYS = Calendar.from_spec("holidays", ["2026-12-25"])


def write(store: Store, calendar: Calendar | None) -> None:
    store.jobs.apply([Change(op="calendar", name="holidays", calendar=calendar)])


def daily(store: Store, name: str = "job", **fields: object) -> None:
    spec = {"command": "true", "cron": "0 3 * * *", "exclude": ["holidays"], **fields}
    job = Job.from_spec(name, spec, store.calendars.all())
    store.jobs.apply([Change(op="put", name=name, job=job)])


def test_a_calendar_comes_back_as_it_was_written(store: Store) -> None:
    write(store, HOLIDAYS)
    assert store.calendars.all() == {"holidays": HOLIDAYS}
    write(store, None)
    assert store.calendars.all() == {}


def test_a_job_is_read_with_the_calendars_that_it_names(store: Store) -> None:
    write(store, HOLIDAYS)
    daily(store)
    for job in (store.jobs.get("job").job, store.jobs.page()[0].job):
        assert job.schedule is not None
        fire = job.schedule.next_after_ms(1_798_160_400_001)  # 2026-12-25T01:00:00.001Z
        assert fire == 1_798_254_000_000  # 2026-12-26T03:00Z
        assert job.missing_calendars == ()


def test_a_changed_calendar_plans_the_jobs_that_name_it_anew_and_no_others(
    store: Store, hand: Hand
) -> None:
    write(store, HOLIDAYS)
    daily(store)
    hand.job("other", cron="0 3 * * *")
    for name in ("job", "other"):
        store.connection.command("ZADD", "jober:due", 10**13, name)
    before, _ = store.jobs.due(0, 10)
    write(store, Calendar.from_spec("holidays", ["12-25"]))
    revision, due = store.jobs.due(0, 10)
    assert revision > before
    assert [(job.name, job.revision) for job in due] == [("job", 2)]
    assert due[0].floor_ms >= store.clock.now_ms() - 1000


def test_a_job_that_names_a_calendar_no_more_is_left_alone_by_it(store: Store) -> None:
    write(store, HOLIDAYS)
    daily(store)
    daily(store, exclude=["sun"])
    write(store, None)
    assert store.jobs.get("job").revision == 2
    assert store.connection.command("EXISTS", "jober:calendar:holidays:jobs") == 0


def test_a_job_whose_calendar_is_gone_can_still_be_read(store: Store) -> None:
    write(store, HOLIDAYS)
    daily(store)
    write(store, None)
    assert store.jobs.get("job").job.missing_calendars == ("holidays",)
