"""What a list tells of jobs, read without their whole definitions, is what those say."""

import subprocess
import sys

import pytest

from jober.record_errors import JobUnreadable
from jober.roles import DEFAULT_ROLE
from jober.schedule import Calendar
from jober.store import Store
from jober.store.changes import Change
from jober.store.listed_jobs import ListedJob
from tests.store.hand import Hand

HOLIDAYS = Calendar.from_spec("holidays", ["2026-12-25"])


def of_this_version(store: Store) -> list[ListedJob]:
    return [job for job in store.listed_jobs.all() if isinstance(job, ListedJob)]


def test_a_list_tells_of_every_job_what_its_definition_says(hand: Hand) -> None:
    hand.store.jobs.apply([Change(op="calendar", name="holidays", calendar=HOLIDAYS)])
    hand.job("by-hand")
    hand.job("cron", cron="30 2 * * *", timezone="Europe/Warsaw", jitter=30, roles=["db", "web"])
    hand.job("excluding", every=[1, "day"], at={"hour": 3}, exclude=["holidays"], on="every")
    hand.job("spread", cron="H H * * *", roles=["db+primary"], on=2, prefer="spread")
    hand.job("moment", date="2030-01-01T00:00:00", timezone="Asia/Kolkata")
    hand.job("kept", service=True)
    hand.store.jobs.pause("cron", True)
    listed = of_this_version(hand.store)
    for job, record in zip(listed, hand.store.jobs.all(), strict=True):
        whole = record.job
        text = whole.schedule_text if whole.schedule else None
        assert (job.name, job.schedule) == (record.name, text)
        assert (job.on, job.roles) == (whole.on, " or ".join(whole.roles) or DEFAULT_ROLE)
        assert (job.is_service, job.paused) == (bool(whole.service), record.paused)
        assert job.next_ms == record.next_ms
    assert len(listed) == 6
    assert "holidays (not known here)" not in str(listed)


def test_a_calendar_that_is_gone_is_told_of_in_a_list(hand: Hand) -> None:
    hand.job("excluding", cron="0 3 * * *", exclude=["holidays"])
    [job] = of_this_version(hand.store)
    assert "holidays (not known here)" in str(job.schedule)


def test_a_list_of_jobs_loads_no_checks_of_definitions(store: Store, hand: Hand) -> None:
    hand.job("nightly", cron="0 3 * * *")
    code = (
        "import sys; from jober.cli import main; main(['jobs', '--redis', sys.argv[1]]); "
        "print(*sorted(sys.modules), sep=chr(10))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, store.url], capture_output=True, text=True, check=True
    ).stdout
    assert "nightly" in told
    assert not {"pydantic", "jober.job", "jober.backup", "rq"} & set(told.splitlines())


def test_a_job_that_somebody_has_damaged_hides_no_other(hand: Hand) -> None:
    hand.job("damaged", every=60)
    hand.job("whole", every=60)
    hand.store.connection.command("HSET", "jober:job:damaged", "policy", "{", "schedule", "?")
    assert [job.name for job in hand.store.listed_jobs.all()] == ["whole"]
    assert [job.name for job in hand.store.listed_jobs.checked()] == ["whole"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [("spec", None, "its spec is missing"), ("revision", "abc", "invalid literal")],
)
def test_a_definition_that_somebody_has_damaged_hides_no_other_and_is_told_with_the_mend(
    hand: Hand, field: str, value: str | None, problem: str
) -> None:
    hand.job("damaged", every=60)
    hand.job("whole", every=60)
    jobs, command = hand.store.jobs, hand.store.connection.command
    told = ("HDEL", field) if value is None else ("HSET", field, value)
    command(told[0], "jober:job:damaged", *told[1:])
    assert [job.name for job in jobs.all_readable()] == ["whole"]
    with pytest.raises(JobUnreadable, match=f"{problem}.*jober remove damaged"):
        jobs.get("damaged")
    assert jobs.apply([Change(op="remove", name="damaged")]) == ["removed"]
