"""Jobs, runs, events and queues a page at a time, and changes that know what they change."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jober import Jober
from jober.embedded import RedisServer
from jober.errors import (
    CalendarInUse,
    CalendarNotFound,
    DefinitionError,
    JobRevised,
    KeyUsed,
)
from jober.job_filter import JobFilter
from jober.run import RunState
from jober.store import found_jobs
from jober.store.changes import Change
from tests.store.hand import Hand


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


def found(
    jober: Jober,
    text: str = "",
    limit: int = 50,
    tag: str | None = None,
    role: str | None = None,
    paused: bool | None = None,
) -> list[str]:
    """The names on all pages."""
    wanted = JobFilter(text=text, tag=tag, role=role, paused=paused)
    names: list[str] = []
    after: str | None = None
    while True:
        page = jober.find_jobs(wanted, after=after, limit=limit)
        assert len(page.jobs) <= limit
        names += [record.name for record in page.jobs]
        after = page.next
        if after is None:
            return names


def test_jobs_are_found_by_name_tag_role_and_state(jober: Jober) -> None:
    jobs: dict[str, dict[str, Any]] = {
        "backup-Db": {"tags": ["night", 'a b,"c"'], "roles": ["db+!primary", "web"]},
        "backup-web": {"tags": ["night"], "roles": ["web"]},
        "report": {"tags": ["day"]},
    }
    for name, fields in jobs.items():
        jober.add_job(name, command="true", **fields)
    assert found(jober) == ["backup-Db", "backup-web", "report"]
    assert found(jober, "DB") == ["backup-Db"]
    assert found(jober, "p.rt") == []
    assert found(jober, tag="night") == ["backup-Db", "backup-web"]
    assert found(jober, tag='a b,"c"') == ["backup-Db"]
    assert found(jober, role="web", tag="night") == ["backup-Db", "backup-web"]
    assert found(jober, "web", role="web", tag="night") == ["backup-web"]
    assert found(jober, role="primary") == []
    assert found(jober, role="default") == ["report"]
    jober.pause("backup-web")
    assert found(jober, paused=True) == ["backup-web"]
    assert found(jober, paused=True, tag="day") == []
    assert found(jober, paused=False) == ["backup-Db", "report"]
    assert found(jober, paused=False, tag="night") == ["backup-Db"]
    jober.resume("backup-web")
    assert found(jober, paused=True) == []


def test_a_job_that_is_changed_or_removed_stands_in_no_old_list(jober: Jober) -> None:
    jober.add_job("job", command="true", tags=["old", "both"], roles=["db"])
    jober.pause("job")
    jober.update_job("job", tags=["both", "new"], roles=["web"])
    assert found(jober, tag="old") == found(jober, role="db") == []
    assert found(jober, tag="new") == found(jober, tag="both") == found(jober, role="web")
    assert found(jober, paused=True) == found(jober, tag="new") == ["job"]
    jober.remove_job("job")
    command = jober.store.connection.command
    assert command("KEYS", "jober:jobs*") == []


def test_pages_meet_and_a_call_looks_at_a_bounded_number(
    jober: Jober, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        jober.add_job(f"job-{number}", command="true", tags=["even"] if number % 2 == 0 else [])
    evens = [f"job-{number}" for number in range(0, 10, 2)]
    for limit in (1, 2, 5, 50):
        assert found(jober, limit=limit) == [f"job-{number}" for number in range(10)]
        assert found(jober, tag="even", limit=limit) == evens
    assert jober.find_jobs(JobFilter(tag="even"), limit=5).next is None
    monkeypatch.setattr(found_jobs, "LOOKED_AT", 2)
    monkeypatch.setattr(found_jobs, "CALLS", 2)
    page = jober.find_jobs(JobFilter(text="-9"))
    assert (page.jobs, page.next) == ((), "job-3")
    assert found(jober, "-9") == ["job-9"]


def test_a_definition_is_replaced_only_where_it_is_what_was_read(jober: Jober) -> None:
    assert jober.put_job("job", {"command": "one"}, revision=0)
    with pytest.raises(JobRevised, match="it is at revision 1 now"):
        jober.put_job("job", {"command": "two"}, revision=0)
    assert not jober.put_job("job", {"command": "two"}, revision=1)
    with pytest.raises(JobRevised):
        jober.update_job("job", title="late", revision=1)
    with pytest.raises(JobRevised):
        jober.remove_job("job", revision=1)
    assert jober.update_job("job", title="in time", revision=2).revision == 3
    jober.remove_job("job", revision=3)
    with pytest.raises(JobRevised, match="it has been removed"):
        jober.put_job("job", {"command": "three"}, revision=3)
    assert list(jober.revisions("job")) == [3, 2, 1]


def test_a_change_that_comes_twice_is_made_once(jober: Jober) -> None:
    """As when the reply was lost, and the client has sent it again."""
    jober.add_job("job", command="one")
    job = jober.job("job").job.replace(command="two")
    change = Change(op="put", name="job", job=job, if_revision=1)
    assert jober.store.jobs.apply([change]) == ["changed"]
    assert jober.store.jobs.apply([change]) == ["same"]
    assert jober.job("job").revision == 2


def test_of_changes_at_the_same_time_none_is_lost(jober: Jober) -> None:
    jober.add_job("job", command="true")
    fields: list[dict[str, object]] = [{"title": "t"}, {"notes": "n"}, {"timeout": 5}, {"nice": 3}]
    threads = [
        threading.Thread(target=jober.update_job, args=["job"], kwargs=one) for one in fields
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spec = jober.job("job").job.spec()
    assert spec == {"command": "true", **{k: v for one in fields for k, v in one.items()}}


def test_a_call_with_a_key_makes_its_run_once(jober: Jober) -> None:
    jober.add_job("job", call="operator:add", args=[1, 2])
    first = jober.run("job", [3, 4], idempotency_key="k")
    assert jober.run("job", [3, 4], idempotency_key="k").id == first.id
    assert [run.id for run in jober.runs()] == [first.id]
    for other in (
        {"args": [3, 5]},
        {"args": [3, 4], "host": "db1"},
        {"args": [3, 4], "retries": 1},
    ):
        with pytest.raises(KeyUsed):
            jober.run("job", idempotency_key="k", **other)
    assert jober.run("job", [3, 4], idempotency_key="l").id != first.id
    given = jober.run(["date"], idempotency_key="m")
    assert jober.run(["date"], idempotency_key="m").id == given.id
    with pytest.raises(KeyUsed):
        jober.run(["date", "-u"], idempotency_key="m")
    for wrong in ("", "k" * 201):
        with pytest.raises(DefinitionError, match="idempotency_key"):
            jober.run("job", idempotency_key=wrong)
    assert len(jober.runs()) == 3


def test_a_page_of_runs_looks_at_a_bounded_number_and_goes_on(hand: Hand, jober: Jober) -> None:
    hand.job("job")
    hand.job("other", tags=["rare"])
    ids = [hand.run("job" if number % 5 else "other") for number in range(20)]
    hand.store.runs.cancel(ids[0], "enough")

    def all_pages(limit: int, **wanted: str) -> list[str]:
        names: list[str] = []
        after = None
        while True:
            page = jober.run_page(after=after, limit=limit, **wanted)
            names += [run.id for run in page]
            after = page.next
            if after is None:
                return names

    newest_first = [run.id for run in jober.runs(limit=100)]
    rare = [id for id in newest_first if id.startswith("other")]
    assert len(newest_first) == 20
    assert all_pages(7) == all_pages(20) == all_pages(50) == newest_first
    assert jober.run_page(limit=20).next is None
    assert all_pages(3, tag="rare") == rare
    assert all_pages(3, state="cancelled") == ids[:1]
    page = jober.store.runs.looked_through(
        None, None, 5, jober._run_filter(state=RunState.CANCELLED), None, 8
    )
    assert page == ([], newest_first[7])


def test_a_page_of_events_is_of_what_is_asked_for(hand: Hand, jober: Jober) -> None:
    for number in range(5):
        jober.add_job(f"job-{number}", command="true")
        jober.pause(f"job-{number}")
    page = jober.event_page("job.paused", limit=3)
    assert [event.job for event in page] == ["job-4", "job-3", "job-2"]
    rest = jober.event_page("job.paused", limit=3, before=page.next)
    assert ([event.job for event in rest], rest.next) == (["job-1", "job-0"], None)
    assert [event.type for event in jober.event_page(name="job-1")] == ["job.paused", "job.added"]
    oldest = jober.event_page().items[-1]
    after = jober.events_after(oldest.id, 2)
    assert after and [event.id for event in after] == [
        event.id for event in jober.event_page().items[::-1][1:3]
    ]
    with pytest.raises(DefinitionError, match="before: 'x' is not the id of an event"):
        jober.event_page(before="x")


def test_calendars_are_set_and_removed_but_where_a_job_names_one(jober: Jober) -> None:
    jober.set_calendar("closed", {"title": "Closed", "dates": ["12-25"]})
    assert jober.calendar("closed").spec() == {"title": "Closed", "dates": ["12-25"]}
    jober.add_job("job", command="true", cron="0 3 * * *", exclude=["closed"])
    with pytest.raises(CalendarInUse, match="calendar 'closed' is in use: job 'job' names it"):
        jober.remove_calendar("closed")
    jober.set_calendar("closed", ["12-26"])
    assert [calendar.spec() for calendar in jober.calendars()] == [{"dates": ["12-26"]}]
    jober.remove_job("job")
    jober.remove_calendar("closed")
    assert jober.calendars() == []
    with pytest.raises(CalendarNotFound):
        jober.remove_calendar("closed")
    with pytest.raises(DefinitionError, match="calendars.closed.dates"):
        jober.set_calendar("closed", ["someday"])
