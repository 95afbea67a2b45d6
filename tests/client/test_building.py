"""`run(name, with_needs=True)`, and what goes with it, on a real Redis."""

from collections.abc import Iterator

import pytest

from jober import Jober
from jober.errors import JobNotFound, LinkedJobNotFound
from jober.run import RunState
from jober.store import Store
from jober.workflow import Result
from jober_scheduler.follower import Follower
from tests.store.hand import Hand


@pytest.fixture
def jober(store: Store) -> Iterator[Jober]:
    with Jober(store.url) as jober:
        yield jober


def do_all(hand: Hand, store: Store, *fails: str) -> list[str]:
    """Carry out all that may be; the jobs that ran, in order."""
    follower = Follower(store)
    ran: list[str] = []
    while True:
        while follower.follow():
            pass
        claims = hand.claim()
        if not claims:
            return ran
        for claim in claims:
            assert claim.job is not None
            ran.append(claim.job)
            failed = claim.job in fails
            hand.finish(claim, RunState.FAILED if failed else RunState.SUCCESS)


def chain(hand: Hand) -> None:
    """raw → clean → report → mail, and raw → check."""
    hand.job("raw")
    hand.job("clean", needs=["raw"])
    hand.job("report", needs=["clean"])
    hand.job("mail", needs=["report"])
    hand.job("check", needs=["raw"])


def test_with_needs_runs_what_is_missing_or_outdated_and_nothing_else(
    hand: Hand, store: Store, jober: Jober
) -> None:
    chain(hand)
    target = jober.run("report", with_needs=True)
    assert target.state is RunState.WAITING
    assert do_all(hand, store) == ["raw", "clean", "report"]
    # All of it is there by now.
    jober.run("report", with_needs=True)
    assert do_all(hand, store) == ["report"]
    # A needed job succeeded later.
    jober.run("raw")
    assert do_all(hand, store) == ["raw"]
    jober.run("report", with_needs=True)
    assert do_all(hand, store) == ["clean", "report"]
    # A needed job failed last.
    jober.run("raw")
    assert do_all(hand, store, "raw") == ["raw"]
    jober.run("report", with_needs=True)
    assert do_all(hand, store) == ["raw", "clean", "report"]


def test_what_is_on_its_way_is_waited_for_and_not_run_twice(
    hand: Hand, store: Store, jober: Jober
) -> None:
    chain(hand)
    on_its_way = jober.run("raw")
    target = jober.run("clean", with_needs=True)
    Follower(store).follow()
    assert target.run.needed == {"raw": (on_its_way.id,)}
    assert do_all(hand, store) == ["raw", "clean"]


def test_with_dependents_goes_on_to_all_that_depends_on_it(
    hand: Hand, store: Store, jober: Jober
) -> None:
    chain(hand)
    jober.run("raw", with_dependents=True)
    assert do_all(hand, store) in (
        ["raw", "clean", "check", "report", "mail"],
        ["raw", "check", "clean", "report", "mail"],
    )
    jober.run("clean", with_needs=True, with_dependents=True)
    assert do_all(hand, store) == ["clean", "report", "mail"]


def test_what_is_not_fresh_any_more_is_outdated(hand: Hand, store: Store, jober: Jober) -> None:
    hand.job("raw", fresh_for="6h")
    hand.job("report", needs=["raw"])
    jober.run("report", with_needs=True)
    assert do_all(hand, store) == ["raw", "report"]
    jober.run("report", with_needs=True)
    assert do_all(hand, store) == ["report"]
    [run] = jober.runs("raw")
    store.connection.command("HSET", f"rq:job:{run.id}", "ended_at", "2020-01-01T00:00:00.000000Z")
    jober.run("report", with_needs=True)
    assert do_all(hand, store) == ["raw", "report"]


def test_by_force_a_run_waits_for_nothing_and_is_run_though_it_is_fresh(
    hand: Hand, store: Store, jober: Jober
) -> None:
    hand.job("raw")
    hand.job("report", needs=["raw"], fresh_for="6h")
    first = jober.run("report", force=True)
    assert first.state is RunState.QUEUED
    assert do_all(hand, store) == ["report"]
    assert jober.run("report", force=True).state is RunState.QUEUED


def test_a_result_among_the_arguments_of_one_run_is_waited_for(
    hand: Hand, store: Store, jober: Jober
) -> None:
    hand.job("raw", command=None, call="operator:add", args=[1, 2])
    hand.job("twice", command=None, call="operator:add", args=[1, 1])
    needed = jober.run("raw")
    run = jober.run("twice", args=[Result("raw"), {"$result": "raw"}])
    assert run.state is RunState.WAITING
    [claim] = hand.claim()
    assert claim.id == needed.id
    hand.finish(claim, return_value=3)
    while Follower(store).follow():
        pass
    assert run.run.description == "operator.add(3, 3)"
    with pytest.raises(LinkedJobNotFound, match="raww"):
        jober.run("twice", args=[Result("raww"), 1])
    with pytest.raises(JobNotFound):
        jober.run("nobody", with_needs=True)


def test_what_needs_a_run_that_failed_is_skipped_with_dependents(
    hand: Hand, store: Store, jober: Jober
) -> None:
    chain(hand)
    raw = jober.run("raw", with_dependents=True)
    assert do_all(hand, store, "raw") == ["raw"]
    for name in ("clean", "report", "mail", "check"):
        [run] = jober.runs(name)
        assert run.state is RunState.SKIPPED and run.blocked_by == raw.id
