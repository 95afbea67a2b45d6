"""Where much comes at once, its starts go before the reports of ends."""

from jober.run import Outcome, RunState
from jober.store import Store
from jober.store.report import Finish
from jober_worker.reporter import Reporter
from jober_worker.rush import Rush
from tests.waiting import wait_until


def reporting(store: Store, agent: str, rush: Rush, told: list[str]) -> Reporter:
    """A reporter in a rush, with the end of a run of its own."""
    reporter = Reporter(store, agent, lambda ends: told.extend(end.claim.id for end in ends))
    reporter.rush = rush
    rush.begin()
    store.connection.command(
        "HSET", f"rq:job:of-{agent}", "data", "x", "status", "queued", "origin", agent
    )
    store.connection.command("RPUSH", f"rq:queue:{agent}", f"of-{agent}")
    [claim] = store.leases.claim(agent, "web1", [agent], 1).runs
    reporter.put([Finish(claim=claim, host="web1", outcome=Outcome(state=RunState.SUCCESS))])
    reporter.part.start()
    return reporter


def test_an_end_is_told_once_all_that_came_is_claimed(store: Store) -> None:
    told: list[str] = []
    rush = Rush(at_most_s=600)
    reporters = [reporting(store, "waits", rush, told), reporting(store, "does-not", Rush(0), told)]
    wait_until(lambda: told == ["of-does-not"], told="the other has told its end, as it may")
    rush.end()
    wait_until(lambda: told == ["of-does-not", "of-waits"], told="the rush is over")
    assert all(reporter.stop(5) for reporter in reporters)


def test_an_end_is_told_after_a_moment_though_more_and_more_comes(store: Store) -> None:
    told: list[str] = []
    reporter = reporting(store, "busy", Rush(), told)
    wait_until(lambda: told == ["of-busy"])
    assert reporter.stop(5)
