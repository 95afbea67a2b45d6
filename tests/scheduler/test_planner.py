"""The planner decides on every due fire, from the cursor on; it is pure, so no Redis here."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jober.agent_info import AgentInfo
from jober.fire import FirePlan, FirePolicy
from jober.job import Job
from jober.ledger import Decision
from jober.placement import Roster
from jober.store.changes import fire_texts
from jober_scheduler.planner import (
    FIRES_PER_PLAN,
    LATE_MS,
    NO_HOST_MS,
    JobState,
    plan,
)

NOW = 1_795_222_800_000  # 2026-11-21T01:00:00Z
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def agent(host: str, *roles: str, state: str = "up") -> AgentInfo:
    return AgentInfo(
        id=f"{host}-aaaaaa",
        host=host,
        pid=1,
        roles=frozenset(roles or ("default",)),
        slots=1,
        version="0",
        state=state,
    )


ONE = Roster.of([agent("host1")])
NOBODY = Roster.of([])


def planned(
    cursor_ms: int,
    now_ms: int = NOW,
    floor_ms: int = 0,
    roster: Roster = ONE,
    anchor_ms: int | None = None,
    fires: int = 0,
    told_ms: int = 0,
    **fields: object,
) -> FirePlan:
    job = Job.from_spec("job", {"command": "true", **fields})
    state = JobState(
        name="job",
        revision=1,
        cursor_ms=cursor_ms,
        floor_ms=floor_ms,
        anchor_ms=cursor_ms if anchor_ms is None else anchor_ms,
        fires=fires,
        told_ms=told_ms,
    )
    return plan(FirePolicy.read("job", *fire_texts(job)), state, now_ms, roster)


def fired(told: FirePlan) -> list[int]:
    return [fire.at_ms for fire in told.fires if fire.decision is Decision.FIRED]


def missed(told: FirePlan) -> list[tuple[int | None, int, int]]:
    """First, last and count of each range of missed fires."""
    return [
        (fire.first_ms or fire.at_ms, fire.at_ms, fire.count)
        for fire in told.fires
        if fire.decision is Decision.MISSED
    ]


def test_a_job_that_is_due_fires_once_and_is_due_again() -> None:
    told = planned(NOW - MINUTE, every=60)
    assert fired(told) == [NOW]
    assert told.fires[0].runs[0].id == "job-20261121T010000Z"
    assert (told.cursor_ms, told.next_ms) == (NOW, NOW + MINUTE)


def test_a_job_that_is_not_due_is_planned_and_its_cursor_stays() -> None:
    told = planned(NOW - MINUTE, now_ms=NOW - 1, every=60)
    assert told.fires == ()
    assert (told.cursor_ms, told.next_ms) == (NOW - MINUTE, NOW)


def test_a_job_by_hand_is_never_due() -> None:
    assert planned(NOW).next_ms is None


def test_a_date_fires_once_and_never_again() -> None:
    told = planned(NOW - HOUR, date="2026-11-21T01:00:00Z")
    assert (fired(told), told.next_ms) == ([NOW], None)
    assert planned(NOW, date="2026-11-21T01:00:00Z").fires == ()


def test_what_fell_due_during_a_change_of_leaders_all_runs() -> None:
    told = planned(NOW - 7 * SECOND, every=1)
    assert fired(told) == [NOW - n * SECOND for n in range(6, -1, -1)]
    assert missed(told) == []


def test_by_default_only_the_newest_of_the_missed_fires_runs() -> None:
    told = planned(NOW - 3 * HOUR - MINUTE, now_ms=NOW + 20 * MINUTE, cron="0 * * * *")
    assert fired(told) == [NOW]
    assert missed(told) == [(NOW - 3 * HOUR, NOW - HOUR, 3)]
    assert told.cursor_ms == NOW
    assert told.next_ms == NOW + HOUR


def test_when_a_fire_is_due_just_now_none_of_the_missed_runs_beside_it() -> None:
    told = planned(NOW - 3 * HOUR, cron="0 * * * *")
    assert fired(told) == [NOW]
    assert missed(told) == [(NOW - 2 * HOUR, NOW - HOUR, 2)]


def test_with_catch_up_none_every_missed_fire_is_only_told() -> None:
    told = planned(NOW - 3 * HOUR, now_ms=NOW + 20 * MINUTE, cron="0 * * * *", catch_up="none")
    assert fired(told) == []
    assert missed(told) == [(NOW - 2 * HOUR, NOW, 3)]
    assert told.cursor_ms == NOW


def test_with_catch_up_all_every_missed_fire_runs_up_to_the_limit() -> None:
    hours = planned(NOW - 5 * HOUR, now_ms=NOW + 20 * MINUTE, cron="0 * * * *", catch_up="all")
    assert fired(hours) == [NOW - n * HOUR for n in range(4, -1, -1)]
    assert missed(hours) == []
    few = planned(
        NOW - 5 * HOUR,
        now_ms=NOW + 20 * MINUTE,
        cron="0 * * * *",
        catch_up="all",
        catch_up_limit=2,
    )
    assert fired(few) == [NOW - HOUR, NOW]
    assert missed(few) == [(NOW - 4 * HOUR, NOW - 2 * HOUR, 3)]


def test_an_outage_of_a_year_of_a_job_of_every_second_is_planned_at_once() -> None:
    year = 365 * 24 * HOUR
    told = planned(NOW - year, every=1)
    assert fired(told) == [NOW - n * SECOND for n in range(LATE_MS // SECOND - 1, -1, -1)] or (
        fired(told) == [NOW - n * SECOND for n in range(LATE_MS // SECOND, -1, -1)]
    )
    assert len(missed(told)) == 1


def test_a_changed_schedule_does_not_fire_for_the_past() -> None:
    told = planned(NOW - 24 * HOUR, floor_ms=NOW - 1, cron="30 * * * *")
    assert told.fires == ()
    assert told.next_ms == NOW + 30 * MINUTE
    assert told.cursor_ms == NOW - 24 * HOUR


def test_an_interval_keeps_its_anchor_through_an_edit() -> None:
    told = planned(NOW - 17 * MINUTE, floor_ms=NOW - 1, every=600)
    assert told.fires == ()
    assert told.next_ms == NOW + 3 * MINUTE


def test_an_interval_goes_on_from_the_fire_and_not_from_when_it_ran() -> None:
    told = planned(NOW - MINUTE, now_ms=NOW + 1_234, every=60)
    assert told.next_ms == NOW + MINUTE


def test_a_job_on_every_host_makes_a_run_for_each_that_matches() -> None:
    roster = Roster.of(
        [
            agent("b.example.org", "db"),
            agent("a", "db", "web"),
            agent("c", "web"),
            agent("d", "db", state="draining"),
        ]
    )
    told = planned(NOW - MINUTE, every=60, on="every", roles=["db"], roster=roster)
    assert [(run.id, run.host) for run in told.fires[0].runs] == [
        ("job-20261121T010000Z-a", "a"),
        ("job-20261121T010000Z-b_example_org", "b.example.org"),
    ]


def test_two_agents_of_one_host_are_one_host_with_the_roles_of_both() -> None:
    roster = Roster.of([agent("a", "db"), agent("a", "gpu")])
    told = planned(NOW - MINUTE, every=60, on="every", roles=["db+gpu"], roster=roster)
    assert [run.host for run in told.fires[0].runs] == ["a"]


def test_a_fire_with_no_host_waits_a_little_and_is_then_told_as_missed() -> None:
    waits = planned(NOW - MINUTE, every=60, roster=NOBODY, roles=["db+gpu", "big"])
    assert waits.fires == ()
    assert (waits.cursor_ms, waits.told_ms) == (NOW - MINUTE, NOW - MINUTE)
    assert waits.next_ms == NOW + NO_HOST_MS
    later = planned(
        NOW - MINUTE, now_ms=NOW + NO_HOST_MS, every=60, roster=NOBODY, roles=["db+gpu", "big"]
    )
    assert missed(later) == [(NOW, NOW, 1)]
    assert later.fires[0].reason == "no live host for role db+gpu or big"
    assert (later.cursor_ms, later.told_ms, later.next_ms) == (NOW - MINUTE, NOW, NOW + MINUTE)


def test_a_fire_that_was_told_as_missed_is_not_told_again() -> None:
    told = planned(NOW - MINUTE, now_ms=NOW + 20_000, told_ms=NOW, every=60, roster=NOBODY)
    assert told.fires == ()
    assert (told.told_ms, told.next_ms) == (NOW, NOW + MINUTE)


def test_many_fires_without_a_host_are_told_as_one_range() -> None:
    told = planned(NOW - HOUR, every=60, roster=NOBODY)
    assert missed(told) == [(NOW - 59 * MINUTE, NOW - MINUTE, 59)]


def test_when_a_host_comes_the_newest_fire_that_it_missed_runs_and_no_other() -> None:
    told = planned(NOW - HOUR, now_ms=NOW + 30_000, told_ms=NOW, every=60)
    assert fired(told) == [NOW]
    assert missed(told) == [], "they have been told"
    assert (told.cursor_ms, told.told_ms) == (NOW, None)


def test_when_a_host_comes_all_missed_fires_run_where_the_job_says_so() -> None:
    told = planned(NOW - 3 * MINUTE, now_ms=NOW + 30_000, told_ms=NOW, every=60, catch_up="all")
    assert fired(told) == [NOW - 2 * MINUTE, NOW - MINUTE, NOW]


def test_when_a_host_comes_nothing_runs_where_the_job_says_none() -> None:
    told = planned(NOW - HOUR, now_ms=NOW + 1000, told_ms=NOW, every=60, catch_up="none")
    assert told.fires == ()
    assert (told.cursor_ms, told.told_ms, told.next_ms) == (NOW, None, NOW + MINUTE)


def test_a_plan_is_bounded_and_goes_on_where_it_stopped() -> None:
    told = planned(NOW - LATE_MS, now_ms=NOW + 1_000_000, every=0.1, catch_up="all")
    assert len(told.fires) <= FIRES_PER_PLAN
    assert told.next_ms is not None


@given(
    every=st.sampled_from([0.5, 1, 7, 60, 3600]),
    away_s=st.integers(0, 200_000),
    catch_up=st.sampled_from(["latest", "all", "none"]),
    limit=st.integers(1, 50),
)
def test_each_fire_is_decided_on_once_however_long_nobody_led(
    every: float, away_s: int, catch_up: str, limit: int
) -> None:
    start = NOW - away_s * SECOND
    cursor, count, last = start, 0, start
    while True:
        told = planned(
            cursor, anchor_ms=start, every=every, catch_up=catch_up, catch_up_limit=limit
        )
        for fire in told.fires:
            first = fire.first_ms or fire.at_ms
            assert first > last
            last = fire.at_ms
            count += 1 + round((fire.at_ms - first) / (every * SECOND))
        assert told.cursor_ms >= cursor
        cursor = told.cursor_ms
        if told.next_ms is None or told.next_ms > NOW:
            break
    assert count == int(away_s / every)
    assert all(a < b for a, b in pairwise(fired(told)))


def test_a_monthly_job_begun_on_the_31st_comes_back_to_the_31st() -> None:
    jan_31, feb_28, mar_31 = (
        1_801_353_600_000,  # 2027-01-31T00:00:00Z
        1_803_772_800_000,
        1_806_451_200_000,
    )
    told = planned(feb_28, now_ms=mar_31, anchor_ms=jan_31, every=[1, "month"])
    assert fired(told) == [mar_31]


def test_a_job_with_nothing_due_waits_for_no_host() -> None:
    told = planned(NOW, now_ms=NOW + 1000, every=60, roster=NOBODY)
    assert (told.told_ms, told.next_ms) == (None, NOW + MINUTE)


THREE = Roster.of([agent("a"), agent("b"), agent("c")])


def hosts_of(told: FirePlan) -> list[list[str | None]]:
    return [[run.host for run in fire.runs] for fire in told.fires if fire.runs]


def test_a_number_of_hosts_gets_one_run_on_each_of_so_many() -> None:
    told = planned(NOW - MINUTE, every=60, on=2, prefer="spread", roster=THREE)
    (fire,) = told.fires
    assert [(run.id, run.host, run.may_move) for run in fire.runs] == [
        ("job-20261121T010000Z-a", "a", False),
        ("job-20261121T010000Z-b", "b", False),
    ]


def test_fewer_hosts_than_asked_for_run_it_and_the_shortfall_is_told() -> None:
    told = planned(NOW - MINUTE, every=60, on=5, prefer="pack", roster=THREE)
    assert hosts_of(told) == [["a", "b", "c"]]
    fired_, short = told.fires
    assert (short.decision, short.at_ms) == (Decision.SHORT, fired_.at_ms)
    assert short.reason == "on 3 of 5 hosts: no other live host for role default"


def test_spread_goes_round_within_a_plan_and_remembers_where_it_was() -> None:
    told = planned(NOW - 4 * SECOND, every=1, prefer="spread", roster=THREE)
    assert hosts_of(told) == [["a"], ["b"], ["c"], ["a"]]
    assert all(run.may_move for fire in told.fires for run in fire.runs)
    assert told.placed == ("b", "c", "a")


def test_the_same_fire_is_placed_alike_by_whoever_plans_it() -> None:
    for prefer in ("least", "spread", "random", "pack"):
        one, other = (
            planned(NOW - MINUTE, every=60, on=2, prefer=prefer, roster=THREE) for _ in range(2)
        )
        assert one == other


def test_least_on_any_host_is_left_to_the_agents() -> None:
    told = planned(NOW - MINUTE, every=60, roster=THREE)
    assert hosts_of(told) == [[None]] and told.placed is None
