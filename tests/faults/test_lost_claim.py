"""A claim is carried out, and its reply lost: nobody knows of the run but Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.run import RunState
from jober.store.scripts import script
from tests.faults.armed_fleet import ArmedFleet
from tests.faults.proxy import Proxy
from tests.faults.work import function, read_log
from tests.waiting import wait_until


@pytest.fixture
def proxy(armed_fleet: ArmedFleet) -> Iterator[Proxy]:
    with Proxy(Path(armed_fleet.url.removeprefix("unix://"))) as proxy:
        yield proxy
        armed_fleet.stop()


def test_a_run_whose_claim_got_no_reply_is_not_lost_but_runs_in_the_end(
    armed_fleet: ArmedFleet, proxy: Proxy
) -> None:
    armed_fleet.armed_scheduler()
    # Else the reply that is lost is that Redis does not know the script yet.
    armed_fleet.jober.store.connection.client.script_load(script("claim").text)
    armed_fleet.jober.set_limit("shared", 1)
    armed_fleet.add("once", concurrency=1, limits=["shared"], **function())
    armed_fleet.armed_agent("alpha", "agent.before_claim=hang:3000", "--redis", proxy.url)
    wait_until(lambda: armed_fleet.hits("agent.before_claim"), 30, "it is about to claim")
    proxy.drop("reply", script("claim").sha.encode())
    ended = armed_fleet.jober.run("once").wait(60)
    assert ended.state is RunState.SUCCESS, ended.reason
    assert ended.attempt == 2, "the first claim got its reply"
    assert {line.attempt for line in read_log(armed_fleet.work_log)} == {2}
    leases = armed_fleet.jober.store.connection
    wait_until(lambda: not leases.command("ZCARD", "jober:leases"), told="no lease is left")


def test_an_agent_that_stood_still_with_a_claim_does_not_begin_what_others_may_have(
    armed_fleet: ArmedFleet,
) -> None:
    armed_fleet.armed_scheduler()
    # Longer than RENEW waits for the reply of a claim (3 s at this pace) before it puts it back.
    armed_fleet.armed_agent("alpha", "agent.claimed=hang:4500")
    armed_fleet.add("once", **function())
    handle = armed_fleet.jober.run("once")
    wait_until(lambda: armed_fleet.hits("agent.claimed"), 30, "it has claimed")
    armed_fleet.armed_agent("beta")
    ended = handle.wait(60)
    assert (ended.state, ended.host, ended.attempt) == (RunState.SUCCESS, "beta", 2)
    told = "too long ago to be begun"
    wait_until(lambda: told in armed_fleet.logs(), 30, "alpha has let go of it")
    assert {line.attempt for line in read_log(armed_fleet.work_log)} == {2}
