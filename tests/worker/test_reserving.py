"""Runs that wait at a real agent for a slot, and what becomes of them."""

import signal

from jober.client import RunHandle
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, patched_agent, start

AGAIN = {"roles": [ROLE], "overlap": "allow", "retries": 3, "retry_on": ["lost"]}
ONE_SLOT = "sys.argv += ['--slots', '1']\n"
RESERVES = "from jober_worker.ahead import Ahead\nAhead.runs = property(lambda self: 5)\n"
KEEPS = "import jober_worker.reserve as r\nr.WAIT_S = 1e9\n"


def at_once(fleet: Fleet, job: str, n: int) -> list[RunHandle]:
    """So many runs that agents see together."""
    redis = fleet.jober.store.connection
    redis.command("SET", "rq:suspended", 1)
    runs = [fleet.jober.run(job) for _ in range(n)]
    redis.command("DEL", "rq:suspended")
    return runs


def test_what_an_agent_has_reserved_goes_on_elsewhere_when_it_drains(fleet: Fleet) -> None:
    agent = patched_agent(fleet, ONE_SLOT + RESERVES + KEEPS, drain=600)
    wait_until(fleet.jober.agents, 60, "the agent")
    long = start(fleet, "long", command="sleep 600")
    wait_until(lambda: long.state == "running", told="it runs")
    fleet.jober.add_job("again", call="operator:add", args=[1, 2], **AGAIN)
    runs = at_once(fleet, "again", 3)
    wait_until(lambda: all(run.state == "reserved" for run in runs), told="it has reserved them")
    agent.send_signal(signal.SIGTERM)
    wait_until(lambda: all(run.state == "queued" for run in runs), 60, "they are given back")
    fleet.agent("web2", ROLE)
    assert {run.wait(60).host for run in runs} == {"web2"}
    assert {run.run.attempt for run in runs} == {1}
    assert long.state == "running"


def test_runs_that_take_long_are_not_kept_waiting_where_another_agent_has_free_slots(
    fleet: Fleet,
) -> None:
    fleet.agent("web1", ROLE, slots=2)
    fleet.jober.add_job("quick", call="operator:add", args=[1, 2], **AGAIN)
    for run in at_once(fleet, "quick", 100):
        run.wait(60)  # so it reserves many
    fleet.jober.add_job("long", call="time:sleep", args=[600], **AGAIN)
    runs = at_once(fleet, "long", 4)
    wait_until(lambda: sum(run.state == "running" for run in runs) == 2, told="two run")
    fleet.agent("web2", ROLE, slots=2)
    wait_until(lambda: all(run.state == "running" for run in runs), 60, "all run")
    assert sorted(str(run.run.host) for run in runs) == ["web1", "web1", "web2", "web2"]
    assert {run.run.attempt for run in runs} == {1}
