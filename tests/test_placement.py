"""Which hosts a run goes to: a pure choice among the live ones that match."""

from jober.agent_info import AgentInfo
from jober.placement import Roster, Use, choose_one, place, placed

HOSTS = ("a", "b", "c")
IDLE = {host: Use(0, 10) for host in HOSTS}


def agent(host: str, running: int = 0, slots: int = 10, state: str = "up") -> AgentInfo:
    return AgentInfo(
        id=f"{host}-aaaaaa",
        host=host,
        pid=1,
        roles=frozenset({"default"}),
        slots=slots,
        version="0",
        running=running,
        state=state,
    )


def test_the_least_loaded_come_first() -> None:
    use = {"a": Use(5, 10), "b": Use(1, 10), "c": Use(3, 4)}
    assert place(HOSTS, 2, "least", use=use) == ("b", "a")


def test_pack_fills_the_fullest_and_takes_a_full_one_last() -> None:
    use = {"a": Use(5, 10), "b": Use(1, 10), "c": Use(4, 4)}
    assert place(HOSTS, 3, "pack", use=use) == ("a", "b", "c")
    assert place(HOSTS, 1, "pack", use=IDLE) == ("a",)


def test_spread_takes_the_host_that_ran_the_job_least_recently() -> None:
    before: tuple[str, ...] = ()
    ran: list[str] = []
    for _ in range(6):
        hosts = place(HOSTS, 1, "spread", use=IDLE, before=before)
        before = placed(before, hosts)
        ran += hosts
    assert ran == ["a", "b", "c", "a", "b", "c"]
    assert place((*HOSTS, "new"), 2, "spread", use=IDLE, before=before) == ("new", "a")


def test_chance_is_the_same_for_the_same_fire_and_meets_all_hosts() -> None:
    drawn = {place(HOSTS, 1, "random", use=IDLE, seed=str(n)) for n in range(50)}
    assert drawn == {("a",), ("b",), ("c",)}
    for prefer in ("random", "least"):
        once = place(HOSTS, 3, prefer, use=IDLE, seed="x")
        assert once == place(HOSTS, 3, prefer, use=IDLE, seed="x")
        assert sorted(once) == list(HOSTS)


def test_more_hosts_than_there_are_is_all_there_are() -> None:
    assert place(HOSTS, 5, "spread", use=IDLE) == HOSTS


def test_least_leaves_a_run_on_any_host_to_the_agents_and_so_do_full_hosts() -> None:
    full = {host: Use(10, 10) for host in HOSTS}
    assert choose_one(HOSTS, "least", use=IDLE) is None
    assert choose_one(HOSTS, "pack", use=full) is None
    assert choose_one((), "pack", use={}) is None
    assert choose_one(HOSTS, "pack", use=IDLE) == "a"


def test_a_roster_adds_up_the_agents_of_a_host_and_leaves_out_those_that_take_no_runs() -> None:
    roster = Roster.of([agent("a", 1), agent("a", 2, 5), agent("b"), agent("c", state="cordoned")])
    assert roster.hosts_for("default") == ("a", "b")
    assert roster.use_of == {"a": Use(3, 15), "b": Use(0, 10)}
    assert roster.with_more({"b": 4}).use_of["b"] == Use(4, 10)


def test_rosters_are_the_same_while_only_their_use_differs() -> None:
    assert Roster.of([agent("a", 1)]) == Roster.of([agent("a", 2)])
    assert Roster.of([agent("a")]) != Roster.of([agent("b")])
