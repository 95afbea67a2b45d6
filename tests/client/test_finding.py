"""Jobs that are looked for among very many, and what is told of many runs in brief."""

from jober import Jober
from jober.embedded import RedisServer
from jober.job_filter import JobFilter
from jober.run import RunState
from tests.store.hand import Hand


def _names(jober: Jober, *, limit: int = 50, **wanted: object) -> list[str]:
    """All that are found, page after page."""
    found: list[str] = []
    after = None
    while True:
        page = jober.find_jobs(JobFilter(**wanted), after=after, limit=limit)  # type: ignore[arg-type]
        assert len(page.jobs) <= limit
        found += [record.name for record in page.jobs]
        if page.next is None:
            return found
        after = page.next


def test_pages_of_jobs_hold_each_job_once(redis_server: RedisServer, hand: Hand) -> None:
    names = [f"job-{number:02d}" for number in range(23)]
    for name in names:
        hand.job(name)
    with Jober(redis_server.url) as jober:
        assert _names(jober, limit=5) == names
        assert _names(jober, limit=23) == names
        assert jober.find_jobs(limit=23).next is None


def test_jobs_are_found_by_a_part_of_their_name_and_by_what_they_say(
    redis_server: RedisServer, hand: Hand
) -> None:
    hand.job("db-backup", tags=["night", "disk"], roles=["db"])
    hand.job("db-vacuum", tags=["night"], roles=["db+ssd"])
    hand.job("web-check", tags=["disk"], roles=["web+!db"])
    with Jober(redis_server.url) as jober:
        jober.pause("web-check")
        assert _names(jober, text="BACK") == ["db-backup"]
        assert _names(jober, tag="disk") == ["db-backup", "web-check"]
        assert _names(jober, role="ssd") == ["db-vacuum"]
        assert _names(jober, role="db", text="db", limit=1) == ["db-backup", "db-vacuum"]
        assert _names(jober, paused=True) == ["web-check"]
        assert _names(jober, paused=False, tag="disk") == ["db-backup"]
        assert _names(jober, of_tags=frozenset({"disk"}), of_roles=frozenset({"db+ssd"})) == [
            *("db-backup", "db-vacuum", "web-check")
        ]
        assert _names(jober, text="nothing") == []


def test_coming_fires_are_told_of_the_jobs_that_are_due_soonest(
    redis_server: RedisServer, hand: Hand
) -> None:
    hand.job("often", every=60)
    hand.job("seldom", cron="0 0 1 1 *")
    hand.job("by-hand")
    with Jober(redis_server.url) as jober:
        now_ms = hand.store.clock.now_ms()
        # "seldom" is due later, and "by-hand" never.
        [coming] = jober.coming(now_ms + 600_000)
        assert coming.job == "often"
        assert 9 <= len(coming.fires_ms) <= 10
        assert all(now_ms < fire <= now_ms + 600_000 for fire in coming.fires_ms)
        assert not coming.is_cut
        [some] = jober.coming(now_ms + 600_000, n=6)
        assert (len(some.fires_ms), some.is_cut) == (3, True)


def test_histories_of_many_jobs_are_the_newest_runs_of_each_the_newest_last(
    redis_server: RedisServer, hand: Hand
) -> None:
    for name in ("one", "two", "none"):
        hand.job(name, overlap="allow")
    made = {name: [hand.run(name) for _ in range(3)] for name in ("one", "two")}
    agent = hand.agent()
    for claim in hand.claim(agent):
        state = RunState.SUCCESS if claim.job == "one" else RunState.FAILED
        hand.finish(claim, state, exit_code=0 if claim.job == "one" else 3)
    with Jober(redis_server.url) as jober:
        found = jober.histories(["one", "two", "none", "absent"], n=2)
        assert [brief.id for brief in found["one"]] == sorted(made["one"])[1:]
        assert {brief.state for brief in found["two"]} == {RunState.FAILED}
        assert found["one"][0].duration_s is not None
        assert found["two"][0].exit_code == 3
        assert found["none"] == found["absent"] == []
        assert jober.histories([]) == {}

        bad, number, looked_ms = jober.bad_runs(24, limit=2)
        assert number == 3
        assert [run.job for run in bad] == ["two", "two"]
        assert looked_ms < hand.store.clock.now_ms() - 86_000_000


def test_counts_and_queues_tell_what_waits(redis_server: RedisServer, hand: Hand) -> None:
    hand.job("plain", overlap="allow")
    hand.job("alone", concurrency=1)
    hand.agent()
    with Jober(redis_server.url) as jober:
        assert jober.counts().queued == 0
        first = hand.run("plain")
        hand.run("plain")
        [queue] = [one for one in jober.queues() if one.waiting]
        assert (queue.name, queue.waiting, queue.oldest) == ("default", 2, first)
        assert queue.oldest_at_ms is not None
        hand.run("alone")
        hand.run("alone")
        hand.claim()
        counts = jober.counts()
        assert (counts.jobs, counts.running, counts.parked, counts.queued) == (2, 3, 1, 0)
        assert len(jober.running()) == 3
        assert len(jober.running(limit=2)) == 2
        assert sum(jober.made_by_minute(5)) == 4


def test_the_definitions_that_a_job_has_had_are_told_newest_first(
    redis_server: RedisServer, hand: Hand
) -> None:
    with Jober(redis_server.url) as jober:
        jober.add_job("job", command="one")
        jober.update_job("job", command="two")
        found = jober.revisions("job")
        assert [job.command for job in found.values()] == ["two", "one"]
        assert list(found) == [2, 1]
        assert jober.revisions("absent") == {}


def test_the_jobs_around_one_are_found_without_reading_others(
    redis_server: RedisServer, hand: Hand
) -> None:
    hand.job("first")
    hand.job("second", needs=["first"])
    hand.job("third", needs=["second"])
    hand.job("apart")
    with Jober(redis_server.url) as jober:
        graph = jober.graph_around("first")
        assert graph is not None
        assert graph.around("first") == ("first", "second", "third")
        assert "apart" not in graph
        assert jober.graph_around("second", limit=2) is None
        alone = jober.graph_around("apart")
        assert alone is not None and alone.linked == ()
