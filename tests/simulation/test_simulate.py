"""Fires on a virtual clock: each is counted once, where it belongs."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jober.job import Job
from jober.simulation import TooManyFires, simulate

DAY = 86_400_000
# 2026-11-21, and 2026-10-25, when Warsaw repeats an hour.
START = 1_795_219_200_000
AUTUMN = 1_792_886_400_000


def job(name: str, **fields: Any) -> Job:
    return Job.from_spec(name, {"command": "x", **fields})


def test_the_first_moment_counts_and_the_last_does_not() -> None:
    found = simulate([job("a", cron="0 * * * *")], START, START + DAY)
    assert found.fires == 24
    assert (found.jobs[0].first_ms, found.jobs[0].last_ms) == (START, START + 23 * 3_600_000)
    assert found.minutes == {START + hour * 3_600_000: 1 for hour in range(24)}


def test_an_interval_is_counted_from_the_start() -> None:
    found = simulate([job("a", every=90)], START + 5_000, START + 185_000)
    assert (found.jobs[0].fires, found.jobs[0].first_ms) == (2, START + 5_000)


def test_an_interval_with_a_start_of_its_own_keeps_it() -> None:
    found = simulate([job("a", every=3600, start="2026-11-20T00:10:00")], START, START + DAY)
    assert (found.fires, found.jobs[0].first_ms) == (24, START + 600_000)


def test_jobs_by_hand_are_told_and_fire_never() -> None:
    found = simulate([job("a"), job("b", cron="@daily")], START, START + DAY)
    assert [(one.job.name, one.fires) for one in found.jobs] == [("a", 0), ("b", 1)]


def test_a_repeated_hour_has_all_of_its_fires() -> None:
    warsaw = job("a", cron="*/15 * * * *", timezone="Europe/Warsaw")
    fixed = job("b", cron="30 2 * * *", timezone="Europe/Warsaw")
    found = simulate([warsaw, fixed], AUTUMN, AUTUMN + 6 * 3_600_000)
    assert [one.fires for one in found.jobs] == [24, 1]


def test_the_busiest_minutes_come_with_their_jobs() -> None:
    jobs = [job("a", cron="0 * * * *"), job("b", every=20), job("c", cron="0 3 * * *")]
    found = simulate(jobs, START, START + DAY)
    assert len(found.busiest) == 10
    first, second = found.busiest[:2]
    assert (first.at_ms, first.fires) == (START + 3 * 3_600_000, 5)
    assert dict(first.jobs) == {"b": 3, "a": 1, "c": 1}
    assert (second.at_ms, second.fires) == (START, 4)


def test_too_many_fires_are_refused_with_the_mend() -> None:
    jobs = [job(f"j{number}", every=1) for number in range(3)]
    with pytest.raises(TooManyFires, match="more than 1,000 fires in these 24 hours.*shorter time"):
        simulate(jobs, START, START + DAY, limit=1000)
    assert simulate(jobs, START, START + 333_000, limit=999).fires == 999


def test_durations_tell_the_overlaps_of_the_jobs_that_have_one() -> None:
    jobs = [job("a", every=60), job("b", every=60, overlap="queue"), job("c", every=60)]
    found = simulate(jobs, START, START + 600_000, {"a": 90_000, "b": 90_000})
    a, b, c = (one.overlaps for one in found.jobs)
    assert a is not None and b is not None and c is None
    assert (a.skipped, b.waits, b.longest_wait_ms) == (5, 9, 270_000)


def test_a_timeout_ends_a_run_before_its_duration() -> None:
    found = simulate([job("a", every=60, timeout=30)], START, START + 600_000, {"a": 90_000})
    assert found.jobs[0].overlaps is not None
    assert (found.jobs[0].overlaps.overlapping, found.jobs[0].overlaps.duration_ms) == (0, 30_000)


def test_a_limit_of_the_fleet_or_of_a_host_is_kept() -> None:
    jobs = [
        job("a", every=60, concurrency=2),
        job("b", every=60, on="every"),
        job("c", every=60, overlap="allow"),
    ]
    durations = dict.fromkeys("abc", 150_000)
    found = simulate(jobs, START, START + 600_000, durations)
    most = [one.overlaps.most_at_once for one in found.jobs if one.overlaps is not None]
    assert most == [2, 1, 3]


specs = st.one_of(
    st.sampled_from(["* * * * *", "*/7 8-20 * * *", "0,30 2 * * *", "*/20 * * * * *"]).map(
        lambda cron: {"cron": cron}
    ),
    st.integers(7, 5000).map(lambda seconds: {"every": seconds}),
    st.just({"cron": "*/10 * * * *", "jitter": 500}),
    st.just({"any_of": [{"every": 600}, {"cron": "5 * * * *"}]}),
)


@settings(max_examples=40)
@given(st.lists(specs, max_size=6), st.integers(0, 100_000), st.integers(1, 4 * 3_600_000))
def test_the_counts_are_those_of_each_job_walked_alone(
    given_specs: list[dict[str, Any]], offset: int, length: int
) -> None:
    jobs = [job(f"j{place}", **spec) for place, spec in enumerate(given_specs)]
    start, end = AUTUMN + offset, AUTUMN + offset + length
    minutes: Counter[int] = Counter()
    totals = []
    for one in jobs:
        assert one.schedule is not None
        fires = [at for at in one.schedule.between_ms(start - 1, end, start) if start <= at < end]
        totals.append(len(fires))
        minutes.update(at - at % 60_000 for at in fires)
    found = simulate(jobs, start, end)
    assert [one.fires for one in found.jobs] == totals
    assert found.minutes == minutes
    assert found.fires == sum(totals)
    assert [one.fires for one in found.busiest] == sorted(minutes.values(), reverse=True)[:10]
    assert all(sum(one.jobs.values()) == one.fires for one in found.busiest)


def test_a_day_of_a_thousand_minutely_jobs_is_walked_once() -> None:
    # They share one schedule: walked one by one, it would take a thousand times as long.
    jobs = [job(f"j{number}", cron="* * * * *") for number in range(1000)]
    assert simulate(jobs, START, START + DAY).fires == 1_440_000
