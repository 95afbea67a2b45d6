"""What is wrong with schedulers and agents is told, with the mend."""

from dataclasses import replace

import pytest

from jober.agent_info import AgentInfo, HostOrders, LeaderInfo
from jober.doctor import Finding, Level, examine_fleet

NOW_MS = 1_800_000_000_000
LEADER = LeaderInfo(node="s1:7:abcdef", host="s1", pid=7, term=NOW_MS, since_ms=NOW_MS)
AGENT = AgentInfo(
    id="db1-abcdef",
    host="db1",
    pid=9,
    roles=frozenset(["db"]),
    slots=4,
    version="0.3.1",
    seen_at_ms=NOW_MS - 1_000,
    allows="listed",
    clock_ahead_ms=20,
)


def told(
    *agents: AgentInfo,
    leader: LeaderInfo | None = LEADER,
    orders: dict[str, HostOrders] | None = None,
) -> list[Finding]:
    found = examine_fleet(leader, agents, orders or {}, "0.3.0", NOW_MS)
    return [one for one in found if one.level is not Level.OK]


def test_of_a_fleet_that_is_well_nothing_is_told_but_that() -> None:
    assert told(AGENT) == []


@pytest.mark.parametrize(
    ("agent", "level", "check", "words"),
    [
        (replace(AGENT, seen_at_ms=NOW_MS - 9_000), "problem", "silent", "no sign for 9.0 s"),
        (replace(AGENT, problem="disk full"), "problem", "agent", "disk full"),
        (replace(AGENT, clock_ahead_ms=-3_600_000), "warning", "clock", "1 h behind Redis's"),
        (replace(AGENT, clock_ahead_ms=5_000), "warning", "clock", "5.0 s ahead of Redis's"),
        (replace(AGENT, allows="anything"), "warning", "allow-list", "whatever is in Redis"),
        (replace(AGENT, load=99.0), "warning", "load", "load of 99"),
        (replace(AGENT, version="0.1.9"), "warning", "version", "jober 0.1.9, not 0.3.0"),
    ],
)
def test_what_is_wrong_with_an_agent_is_told_of_its_host(
    agent: AgentInfo, level: str, check: str, words: str
) -> None:
    (finding,) = told(agent)
    assert (finding.level, finding.check, finding.where) == (level, check, "db1")
    assert words in finding.what
    assert finding.mend


def test_without_a_leader_nothing_fires() -> None:
    (finding,) = told(AGENT, leader=None)
    assert (finding.level, finding.check) == ("problem", "leader")


def test_agents_that_take_no_runs_are_none() -> None:
    cordoned = {"db1": HostOrders(cordoned=True)}
    found = told(replace(AGENT, state="cordoned"), orders=cordoned)
    assert [one.check for one in found] == ["agents", "cordoned"]
    assert [one.check for one in told()] == ["agents"]


def test_an_agent_of_before_that_does_not_tell_is_not_blamed() -> None:
    assert told(replace(AGENT, allows="", clock_ahead_ms=None)) == []
