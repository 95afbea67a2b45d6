"""Jobs that stay and that go: protected ones, volatile ones, and those of which a run goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jober import Jober
from jober.embedded import RedisServer
from tests.cli.conftest import Cli
from tests.fleet import Fleet


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


def test_prune_removes_the_volatile_jobs_that_are_over(fleet: Fleet, cli: Cli) -> None:
    fleet.agent("alpha")
    jober = fleet.jober
    jober.add_job("true", name="stays")
    jober.add_job("true", name="goes", volatile=True)
    jober.add_job("sleep 600", name="goes-on", volatile=True)
    runs = [jober.run(name) for name in ("stays", "goes")]
    going = jober.run("goes-on")
    assert [run.wait(30).state for run in runs] == ["success", "success"]
    assert cli("prune", "--json", "--redis", fleet.url).json == {"removed": ["goes"]}
    assert jober.prune() == []
    assert jober.store.jobs.names() == ["goes-on", "stays"]
    going.cancel()
    going.wait(30)
    assert cli("prune", "--redis", fleet.url).text == "removed goes-on\n"


def test_the_command_line_removes_by_force_alone_and_knows_the_other_names(
    cli: Cli, jober: Jober
) -> None:
    jober.add_job("date", name="clock", protected=True, every=60)
    done = cli("remove", "clock")
    assert done.status == 1
    assert "set protected = false first, or use --force" in done.err
    assert cli("disable", "clock").text == "paused clock\n"
    assert cli("enable", "clock").text == "resumed clock\n"
    assert cli("remove", "clock", "--force").text == "removed clock\n"


def test_an_apply_holds_protected_jobs_back(cli: Cli, jober: Jober, tmp_path: Path) -> None:
    jober.add_job("date", name="clock", protected=True)
    jober.add_job("date", name="kept", protected=True)
    file = tmp_path / "jobs.toml"
    file.write_text(
        '[jobs.clock]\ncommand = "true"\nprotected = true\n[jobs.other]\ncommand = "a"\n'
    )
    told = cli("apply", str(file), "--prune", "--dry-run")
    assert "  kept  kept: it is protected (--force removes it)" in told.text
    assert "clock is protected: without --force, nothing is applied" in told.err
    done = cli("apply", str(file), "--prune")
    assert done.status == 1
    assert "job 'clock' is protected" in done.err
    assert jober.store.jobs.names() == ["clock", "kept"]
    assert cli("apply", str(file), "--prune", "--force", "--json").json["protected"] == ["kept"]
    assert jober.store.jobs.names() == ["clock", "other"]
    file.write_text('[jobs.clock]\ncommand = "true"\n')
    assert cli("apply", str(file)).status == 0
