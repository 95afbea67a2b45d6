"""What is wrong with jobs is told, with the mend, and for a fleet of many jobs in a few lines."""

import json
from dataclasses import replace

import pytest

from jober.agent_info import AgentInfo
from jober.doctor import CheckedJob, JobRules, Level
from jober.doctor.job_rules import NAMED
from jober.fire import Calendars, FirePolicy
from jober.job import Job
from jober.placement import Roster
from jober.store.changes import fire_texts

NOW_MS = 1_800_000_000_000
AGENT = AgentInfo(
    id="db1-abcdef", host="db1", pid=9, roles=frozenset(["db"]), slots=4, version="0.3.1"
)


def checked(name: str = "nightly", **fields: object) -> CheckedJob:
    job = Job(name=name, command="true", **{"roles": ["db"], "cron": "0 3 * * *", **fields})
    policy = FirePolicy.read(name, *fire_texts(job), Calendars(0, {}))
    return CheckedJob(name=name, policy=policy, paused=False, anchor_ms=NOW_MS)


def rules(*jobs: CheckedJob) -> JobRules:
    found = JobRules(Roster.of([AGENT]), NOW_MS, {"slow": 90.0}.get)
    for job in jobs:
        found.look(job)
    return found


def test_jobs_that_are_well_are_counted() -> None:
    (finding,) = rules(checked("a"), checked("b")).findings()
    assert (finding.level, finding.what) == (Level.OK, "2 jobs: each fires, and finds a host")


def test_a_job_by_hand_is_well_without_a_schedule() -> None:
    job = replace(checked(), policy=replace(checked().policy, schedule=None))
    (finding,) = rules(job).findings()
    assert finding.level is Level.OK


@pytest.mark.parametrize(
    ("job", "level", "check", "words"),
    [
        (checked(roles=["web"]), "problem", "no-host", "no live host has web"),
        (checked(on=2), "warning", "few-hosts", "wants 2 hosts, and 1 match"),
        (
            checked(cron=None, date="2020-01-01T00:00:00Z"),
            *("warning", "never-fires", "no fire any more"),
        ),
        (checked(cron="* * * * * *"), "warning", "too-often", "86,400 times a day"),
        (
            checked("slow", cron="* * * * *"),
            *("warning", "too-often", "fires 1 min apart, and takes 1 min 30 s"),
        ),
        (
            replace(checked(), calendars_missing=("holidays",)),
            *("warning", "calendar", "its calendar 'holidays' is not there"),
        ),
    ],
)
def test_what_is_wrong_with_a_job_is_told_with_its_mend(
    job: CheckedJob, level: str, check: str, words: str
) -> None:
    (finding,) = rules(job).findings()
    assert (finding.level, finding.check, finding.where) == (level, check, job.name)
    assert words in finding.what
    assert finding.mend


def test_a_paused_job_needs_no_host() -> None:
    (finding,) = rules(replace(checked(roles=["web"]), paused=True)).findings()
    assert finding.level is Level.OK


def test_of_many_jobs_with_one_fault_some_are_named_and_the_others_counted() -> None:
    found = rules(*(checked(f"job{n}", roles=["web"]) for n in range(NAMED + 30))).findings()
    assert len(found) == NAMED + 1
    assert found[-1].what == "and 30 more (no-host)"
    json.dumps([one.to_dict() for one in found])


@pytest.mark.parametrize(
    ("sealed_by", "words"),
    [
        ("", "is not signed, and db1 runs nothing that is not"),
        ("0123456789ab", "is signed by key 0123456789ab, which db1 does not trust"),
    ],
)
def test_what_a_host_refuses_for_want_of_a_key_is_told(sealed_by: str, words: str) -> None:
    found = JobRules(Roster.of([AGENT]), NOW_MS, trusting={"db1": ["aaaaaaaaaaaa"]})
    found.look(replace(checked(), sealed_by=sealed_by))
    found.look(replace(checked("good"), sealed_by="aaaaaaaaaaaa"))
    found.look(checked("elsewhere", roles=["web"]))
    finding, other = found.findings()
    assert (finding.level, finding.check, finding.where) == ("problem", "unsigned", "nightly")
    assert finding.what == words
    assert other.check == "no-host"
