"""Where the fires of a real fleet run, and what becomes of one whose host goes away."""

from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until


def test_a_number_of_hosts_goes_round_over_all_of_them(fleet: Fleet) -> None:
    for host in ("a", "b", "c"):
        fleet.agent(host, "web")
    fleet.scheduler()
    # One run may still go on at the next fire, on a slow machine: its host would be left out.
    how = {"command": "true", "every": 1, "on": 2, "prefer": "spread", "overlap": "allow"}
    fleet.jober.add_job("two", roles=["web"], **how)
    wait_until(lambda: len(fleet.jober.runs("two")) >= 6, told="three fires")
    fleet.jober.pause("two")
    by_fire: dict[int | None, set[str | None]] = {}
    for run in fleet.jober.runs("two"):
        by_fire.setdefault(run.fire_at_ms, set()).add(fleet.jober.handle(run.id).wait(45).host)
    first, second, third = [by_fire[at] for at in sorted(by_fire, key=str)][:3]
    assert len(first) == len(second) == len(third) == 2
    assert first | second == second | third == {"a", "b", "c"}


def test_a_run_whose_host_has_left_is_missed_at_the_next_fire_and_why_tells(fleet: Fleet) -> None:
    agent = fleet.agent("a", "web")
    fleet.scheduler()
    fleet.jober.store.connection.command("SET", "rq:suspended", 1)
    fleet.jober.add_job("each", command="true", roles=["web"], every=2, on="every")
    waiting = wait_until(lambda: fleet.jober.runs("each"), told="a fire")[-1]
    agent.terminate()
    agent.wait(20)
    missed = fleet.jober.handle(waiting.id).wait(40)
    assert missed.state is RunState.MISSED
    assert missed.reason and missed.reason.endswith("and host a has no live agent")
    answer = fleet.jober.why("each", waiting.fire_at_ms).answer
    assert answer.startswith(f"{waiting.id} was made for it, and missed: ")
