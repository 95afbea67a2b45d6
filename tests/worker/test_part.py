"""A part of the agent does not die unseen."""

from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import joined, patched_agent, start


def test_a_part_that_fails_once_is_begun_again(fleet: Fleet) -> None:
    patched_agent(
        fleet,
        "from jober_worker.fetcher import Fetcher\n"
        "fetch, failed = Fetcher._fetch, []\n"
        "def once(self):\n"
        "    if not failed:\n"
        "        failed.append(1)\n"
        "        raise RuntimeError('a bug')\n"
        "    fetch(self)\n"
        "Fetcher._fetch = once",
    )
    joined(fleet)
    handle = start(fleet, "works", command="true")
    assert handle.wait(45).state is RunState.SUCCESS
    assert "the fetcher has failed" in fleet.logs()
    assert "starting another" not in fleet.logs()


def test_an_agent_with_a_dead_part_is_replaced(fleet: Fleet) -> None:
    broken = fleet.folder / "broken"
    broken.touch()
    patched_agent(
        fleet,
        "import os, jober_worker.part as part\n"
        "part.AGAIN_S = 0.01\n"
        "from jober_worker.renewer import Renewer\n"
        "renew = Renewer._renew\n"
        "def broken(self):\n"
        f"    if os.path.exists({str(broken)!r}): raise RuntimeError('a bug')\n"
        "    renew(self)\n"
        "Renewer._renew = broken",
    )
    first = joined(fleet)
    wait_until(lambda: "renewer failed for good; the agent gives up" in fleet.logs(), 30)
    broken.unlink()
    wait_until(lambda: {agent.id for agent in fleet.jober.agents()} - {first}, 30)


def test_a_run_ends_though_its_result_cannot_be_told(fleet: Fleet) -> None:
    """A bug there must not keep the slot of the run, and the results of others, for ever."""
    patched_agent(
        fleet,
        "import jober_worker.functions as f\n"
        "plain = f.plain_value\n"
        "f.plain_value = lambda value: (object(), None) if value == 'odd' else plain(value)",
    )
    joined(fleet)
    odd = start(fleet, "odd", call="operator:add", args=["o", "dd"])
    even = start(fleet, "even", call="operator:add", args=[1, 1])
    run = odd.wait(45)
    assert (run.state, run.reason) == (
        RunState.FAILED,
        "the agent could not tell how it ended: TypeError",
    )
    even.wait(45)
    assert even.result() == 2
