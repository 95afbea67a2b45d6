"""Services in Redis: a place has one run, whoever decides and however often."""

from dataclasses import replace

from jober.run import RunState
from jober.service import ANY, PlaceState, ServiceAction, ServiceStart
from jober.store import Store
from tests.store.hand import Hand


def begin(id: str = "job-s1", before: str = "", revision: int = 1) -> ServiceAction:
    """The next run of the one place."""
    return ServiceAction(
        job="job",
        revision=revision,
        place=ANY,
        before=before,
        after=PlaceState(run=id),
        start=ServiceStart(id=id),
    )


def test_an_action_that_is_sent_again_does_nothing_more(store: Store, hand: Hand) -> None:
    hand.job(service=True)
    assert store.services.serve(hand.token, [begin()]) == [True]
    assert store.services.serve(hand.token, [begin(), begin("job-s2")]) == [False, False]
    assert [run.id for run in store.runs.page("job", None, 10)] == ["job-s1"]
    [service] = store.services.all()
    assert [(place.name, place.word) for place in service.places] == [(ANY, "waiting")]


def test_no_run_begins_while_the_one_before_goes_on(store: Store, hand: Hand) -> None:
    hand.job(service=True)
    hand.agent()
    store.services.serve(hand.token, [begin()])
    before = PlaceState(run="job-s1").to_json()
    assert store.services.serve(hand.token, [begin("job-s2", before)]) == [False]
    [claim] = hand.claim()
    assert store.services.serve(hand.token, [begin("job-s2", before)]) == [False]
    hand.finish(claim)
    assert store.services.serve(hand.token, [begin("job-s2", before)]) == [True]


def test_who_leads_no_more_and_who_saw_another_definition_does_nothing(
    store: Store, hand: Hand
) -> None:
    hand.job(service=True)
    assert store.services.serve("1:other:1:bbbbbb", [begin()]) is None
    assert store.services.serve(hand.token, [begin(revision=2)]) == [False]
    store.jobs.pause("job", True)
    assert store.services.serve(hand.token, [begin()]) == [False]
    assert store.runs.page("job", None, 10) == []


def test_pausing_and_the_end_of_the_service_stop_its_runs_with_no_leader(
    store: Store, hand: Hand
) -> None:
    hand.job(service=True)
    hand.agent()
    store.services.serve(hand.token, [begin()])
    store.jobs.pause("job", True)
    assert hand.state("job-s1") is RunState.CANCELLED
    store.jobs.pause("job", False)
    store.services.serve(hand.token, [begin("job-s2")])
    [claim] = hand.claim()
    hand.job()
    assert hand.renew(claim.lease)[1] == {claim.lease}
    assert store.services.all() == []
    assert hand.count("jober:services") == 0


def test_a_run_is_as_defined_now_until_what_it_executes_changes(store: Store, hand: Hand) -> None:
    hand.job(service=True)
    store.services.serve(hand.token, [begin()])

    def is_current() -> bool:
        [service] = store.services.all()
        run = service.places[0].run
        assert run is not None
        return run.is_current

    hand.job(service=True, title="Another title", healthy_after=5)
    assert is_current()
    hand.job(service=True, command="false")
    assert not is_current()
    hand.job(service=True, grace=9)
    assert not is_current()
    hand.job(service=True, roles=["db"])
    assert not is_current()


def test_a_stop_is_told_to_the_run_and_remembered(store: Store, hand: Hand) -> None:
    hand.job(service=True)
    hand.agent()
    store.services.serve(hand.token, [begin()])
    [claim] = hand.claim()
    known = PlaceState(run="job-s1")
    stop = ServiceAction(
        job="job",
        revision=1,
        place=ANY,
        before=known.to_json(),
        after=replace(known, stopping="moved"),
        stop="moved",
    )
    assert store.services.serve(hand.token, [stop, stop]) == [True, False]
    assert hand.renew(claim.lease)[1] == {claim.lease}
    [service] = store.services.all()
    assert service.places[0].word == "stopping"
