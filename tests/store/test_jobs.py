"""Definitions in Redis: all changes or none, and what an edit does to a schedule."""

import pytest

from jober.errors import JobExistError, JobNotFound
from jober.job import Job
from jober.store import Store
from jober.store.changes import Change
from tests.store.hand import Hand


def put(name: str, **fields: object) -> Change:
    return Change(op="put", name=name, job=Job.from_spec(name, {"command": "true", **fields}))


def test_an_apply_tells_what_became_of_each(store: Store) -> None:
    assert store.jobs.apply([put("a"), put("b")]) == ["added", "added"]
    remove = Change(op="remove", name="b")
    assert store.jobs.apply([put("a"), put("c"), remove, remove]) == [
        "same",
        "added",
        "removed",
        "absent",
    ]
    assert store.jobs.apply([put("a", title="A")]) == ["changed"]
    assert store.jobs.names() == ["a", "c"]
    assert store.jobs.get("a").revision == 2


def test_adding_a_job_that_exists_changes_nothing_at_all(store: Store) -> None:
    store.jobs.apply([put("a")])
    add = Change(op="add", name="a", job=Job.from_spec("a", {"command": "false"}))
    with pytest.raises(JobExistError) as error:
        store.jobs.apply([put("b"), add])
    assert error.value.name == "a"
    assert store.jobs.names() == ["a"]
    assert store.jobs.get("a").job.command == "true"


def test_a_definition_comes_back_as_it_was_written(store: Store) -> None:
    change = put("a", roles=["b+!c"], every=[1, "day"], at={"hour": 3}, env={"X": "ä"})
    store.jobs.apply([change])
    assert store.jobs.get("a").job == change.job


def test_a_new_job_is_due_to_be_planned_and_wakes_the_leader(store: Store, hand: Hand) -> None:
    store.jobs.apply([put("a", every=60)])
    assert hand.next_due_ms() == 0
    assert store.jobs.wait_for_change(1)
    assert not store.jobs.wait_for_change(0.01)


def test_a_job_by_hand_is_never_due(store: Store, hand: Hand) -> None:
    store.jobs.apply([put("a")])
    assert hand.next_due_ms() is None


def test_an_edit_that_leaves_the_schedule_alone_leaves_its_next_fire_alone(
    store: Store, hand: Hand
) -> None:
    store.jobs.apply([put("job", every=60)])
    store.connection.command("HSET", "jober:job:job", "cursor", 1000, "floor", 1000)
    hand.fire("job", 61_000)
    before = store.jobs.get("job")
    store.jobs.apply([put("job", every=60, title="new", roles=["db"])])
    after = store.jobs.get("job")
    assert (after.cursor_ms, after.floor_ms, after.next_ms) == (61_000, 1000, 121_000)
    assert after.revision == before.revision + 1
    assert hand.next_due_ms() == 121_000


@pytest.mark.parametrize("edit", [{"every": 30}, {"every": 60, "timezone": "Europe/Warsaw"}])
def test_an_edit_of_the_schedule_counts_from_now_and_keeps_the_anchor(
    store: Store, hand: Hand, edit: dict[str, object]
) -> None:
    store.jobs.apply([put("job", every=60)])
    store.connection.command("HSET", "jober:job:job", "cursor", 1000, "floor", 1000)
    hand.fire("job", 61_000)
    now_s = int(store.connection.command("TIME")[0])
    store.jobs.apply([put("job", **edit)])
    after = store.jobs.get("job")
    assert after.cursor_ms == 61_000
    assert after.floor_ms >= now_s * 1000
    assert hand.next_due_ms() == 0


def test_a_schedule_taken_away_is_due_no_more(store: Store, hand: Hand) -> None:
    store.jobs.apply([put("a", every=60)])
    store.jobs.apply([put("a")])
    assert hand.next_due_ms() is None


def test_a_paused_job_stays_paused_through_an_edit_of_its_schedule(
    store: Store, hand: Hand
) -> None:
    store.jobs.apply([put("a", every=60)])
    assert store.jobs.pause("a", True)
    assert not store.jobs.pause("a", True)
    store.jobs.apply([put("a", every=30)])
    assert store.jobs.get("a").paused
    assert hand.next_due_ms() is None
    assert store.jobs.pause("a", False)
    assert hand.next_due_ms() == 0


def test_an_unknown_name_is_told_with_the_nearest(store: Store) -> None:
    store.jobs.apply([put("nightly")])
    for ask in (store.jobs.get, lambda name: store.jobs.pause(name, True)):
        with pytest.raises(JobNotFound, match="did you mean 'nightly'"):
            ask("nightli")


def test_jobs_are_read_a_page_at_a_time(store: Store) -> None:
    names = [f"job-{n:03}" for n in range(25)]
    store.jobs.apply([put(name) for name in reversed(names)])
    first = store.jobs.page(limit=10)
    second = store.jobs.page(after=first[-1].name, limit=10)
    assert [record.name for record in first + second] == names[:20]
    assert [record.name for record in store.jobs.all()] == names
    assert store.jobs.count() == 25


def test_a_removed_job_leaves_its_history_with_an_end(store: Store, hand: Hand) -> None:
    hand.job()
    hand.run()
    store.jobs.apply([Change(op="remove", name="job")])
    assert store.connection.command("EXISTS", "jober:job:job") == 0
    assert store.connection.command("PTTL", "jober:runs:job") > 0
    hand.job()
    assert store.connection.command("PTTL", "jober:runs:job") == -1


def test_what_waits_of_a_removed_job_does_not_start_without_its_limits(
    store: Store, hand: Hand
) -> None:
    hand.job(concurrency=1)
    hand.agent()
    runs = [hand.run() for _ in range(3)]
    (claim,) = hand.claim()
    assert hand.claim() == []
    late = hand.run()
    store.jobs.apply([Change(op="remove", name="job")])
    assert hand.claim() == []
    assert [str(hand.state(id)) for id in (*runs, late)] == ["running", *["cancelled"] * 3]
    assert store.runs.get(late).reason == "its job was removed"
    hand.finish(claim, exit_code=0)
    assert hand.held() == {}


def test_a_run_is_told_with_the_definition_that_it_was_made_from(store: Store, hand: Hand) -> None:
    hand.job(title="first")
    run = store.runs.get(hand.run())
    hand.job(title="second")
    hand.job(title="third")
    assert run.revision == 1
    titles = [store.former.at("job", revision) for revision in (1, 2, 3, 4)]
    assert [job and job.title for job in titles] == ["first", "second", "third", None]


def test_of_former_definitions_the_newest_hundred_are_kept(store: Store, hand: Hand) -> None:
    for n in range(1, 121):
        hand.job(title=f"title {n}")
    assert store.connection.command("HLEN", "jober:former:job") == 100
    first = store.former.at("job", 1)
    assert first is not None and first.title == "title 20", "the oldest that is left"


def test_a_job_that_comes_again_goes_on_with_its_revisions(store: Store, hand: Hand) -> None:
    hand.job(title="first")
    hand.job(title="second")
    store.jobs.apply([Change(op="remove", name="job")])
    assert 0 < store.connection.command("PTTL", "jober:former:job") <= 7 * 86_400_000
    assert store.former.at("job", 2) == Job.from_spec("job", {"command": "true", "title": "second"})
    hand.job(title="again")
    assert store.jobs.get("job").revision == 3
    assert store.connection.command("PTTL", "jober:former:job") == -1
