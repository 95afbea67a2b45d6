"""Without a preference, a run goes to the agent that has the least to do."""

from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, patched_agent, start


def test_a_busy_agent_lets_an_idle_one_go_first(fleet: Fleet) -> None:
    # So long that the idle one is first for certain, however slow this machine is.
    patched_agent(fleet, "import jober_worker.fetcher as f; f.GIVE_WAY_S = 100.0")
    wait_until(lambda: fleet.jober.agents(), told="the first agent")
    long = start(fleet, "long", command="sleep 600")
    wait_until(lambda: long.state == "running", told="it runs")
    fleet.agent("web2", ROLE)
    fleet.jober.add_job("quick", command="true", roles=[ROLE])
    for _ in range(5):
        assert fleet.jober.run("quick").wait(45).host == "web2"


def test_runs_that_come_at_once_go_to_all_that_are_idle(fleet: Fleet) -> None:
    for host in ("web1", "web2", "web3"):
        # So long that one that took its share lets the others wake, however slow this machine is.
        patched_agent(fleet, "import jober_worker.fetcher as f; f.GIVE_WAY_S = 5.0", 0.5, host)
    wait_until(lambda: len(fleet.jober.agents()) == 3, 20, told="three agents")
    fleet.jober.add_job("long", command="sleep 600", roles=[ROLE], overlap="allow")
    fleet.jober.store.connection.command("SET", "rq:suspended", 1)
    runs = [fleet.jober.run("long") for _ in range(9)]
    fleet.jober.store.connection.command("DEL", "rq:suspended")
    wait_until(lambda: all(run.state == "running" for run in runs), told="all run")
    hosts = [run.run.host for run in runs]
    assert max(hosts.count(host) for host in set(hosts)) <= 4 and len(set(hosts)) == 3
