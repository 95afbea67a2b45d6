"""`jober doctor` looks at a real fleet, and says the mend of what is wrong."""

from typing import Any

from jober.embedded import RedisServer
from jober.store import Store
from tests.cli.conftest import Cli
from tests.fleet import Fleet
from tests.waiting import wait_until


def by_check(told: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["check"]: one for one in told}


def test_without_anything_it_tells_what_is_missing(cli: Cli) -> None:
    done = cli("doctor", "--json")
    found = by_check(done.json)
    assert done.status == 1
    assert found["leader"]["level"] == "problem"
    assert found["agents"]["mend"].startswith("`jober worker --roles")
    assert found["version"]["level"] == "ok"


def test_a_fleet_that_is_up_has_a_leader_and_agents_that_tell_of_themselves(
    cli: Cli, fleet: Fleet
) -> None:
    store = fleet.jober.store
    fleet.scheduler()
    fleet.agent("web1", "web")
    fleet.jober.add_job("true", name="job", roles=["db"], cron="0 3 * * *")
    wait_until(lambda: store.agents.live() and store.agents.live()[0].clock_ahead_ms is not None)
    wait_until(lambda: store.leader.current())
    found = by_check(cli("doctor", "--redis", fleet.url, "--json").json)
    assert found["leader"]["level"] == "ok"
    assert found["agents"]["what"].startswith("1 agent on 1 host")
    assert found["allow-list"]["where"] == "web1"
    assert found["no-host"]["where"] == "job"
    assert found["acl"]["level"] == "ok"
    assert abs(store.agents.live()[0].clock_ahead_ms or 0) < 60_000


def test_what_a_user_of_redis_may_not_is_told_in_words(
    cli: Cli, redis_server: RedisServer, store: Store
) -> None:
    store.connection.command(
        *("ACL", "SETUSER", "poor", "on", ">secret", "~jober:*", "&*", "+@all"),
        *("-@admin", "-@dangerous", "-publish", "+client|setname"),
    )
    url = redis_server.url.replace("unix://", "unix://poor:secret@")
    found = cli("doctor", "--redis", url, "--json").json
    acl = [one["what"] for one in found if one["check"] == "acl"]
    assert any(what.startswith("poor may not publish: ") for what in acl)
    assert any(what.startswith("poor may not write RQ's keys: ") for what in acl)
    assert "secret" not in str(found)


def test_for_a_person_each_line_has_a_mark_and_its_mend_below(cli: Cli) -> None:
    lines = cli("doctor").text.splitlines()
    assert lines[0] == "Redis"
    leader = next(n for n, line in enumerate(lines) if "no scheduler leads" in line)
    assert lines[leader].startswith("  ✗ ")
    assert lines[leader + 1] == "      → `jober scheduler` on two or three hosts"
    assert lines[-1].split(",")[0].endswith("problems")
