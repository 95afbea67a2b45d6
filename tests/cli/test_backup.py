"""`jober backup` and `jober restore`, from one Redis into another."""

import gzip
import hashlib
import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jober import Jober
from jober.backup import BackupReader
from jober.client.backup import Restoring
from jober.embedded import RedisServer
from jober.run import RunState
from jober.store import Store
from tests.cli.conftest import Cli
from tests.fleet import BIN, Fleet
from tests.store.hand import Hand
from tests.waiting import wait_until

HOUR_MS = 3_600_000
FLEET = """
[calendars.holidays]
dates = ["2026-12-25"]
[limits]
database = 3
[jobs.nightly]
command = "true"
cron = "0 3 * * *"
exclude = ["holidays"]
limits = ["database"]
retries = 1
[jobs.often]
command = "true"
every = 60
catch_up = "all"
max_fires = 500
[jobs.held]
command = "true"
every = 60
catch_up = "all"
[jobs.by-hand]
command = "true"
env = { GREETING = "zażółć" }
"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another Redis, an empty one."""
    with RedisServer() as server:
        yield server.url


@pytest.fixture
def filled(cli: Cli, hand: Hand, store: Store, tmp_path: Path) -> Path:
    """A fleet that has done something; its jobs file."""
    file = tmp_path / "fleet.toml"
    file.write_text(FLEET)
    assert cli("apply", str(file)).status == 0
    file.write_text(FLEET.replace('"0 3 * * *"', '"30 2 * * *"'))
    assert cli("apply", str(file)).status == 0
    past = store.clock.now_ms() // 1000 * 1000 - HOUR_MS
    for name in ("often", "held"):
        store.connection.command(
            "HSET", f"jober:job:{name}", "cursor", past, "anchor", past - 7000, "fires", 3
        )
    cli("pause", "held")
    hand.agent()
    for state in (RunState.SUCCESS, RunState.FAILED):
        hand.run("by-hand")
        (claim,) = hand.claim()
        assert hand.finish(claim, state, "host1-aaaaaa", reason="so it was", exit_code=7)
    hand.run("by-hand")
    hand.claim()
    store.connection.command(
        *("XADD", "jober:ledger:nightly", "1795222800000-0", "decision", "missed"),
        *("fire_at", "2026-11-21T02:30:00.000000Z", "reason", "no live host for role default"),
    )
    cli("agents", "cordon", "db1")
    cli("agents", "roles", "db2", "db,web")
    return file


def told(cli: Cli, *redis: str) -> dict[str, Any]:
    """What the commands tell of the fleet, but for what goes on: live hosts, what is to come, what
    is to be done, and runs that have not ended."""
    runs = [run for run in cli("runs", "--json", *redis).json if run["ended_at"]]
    names = ["nightly", "often", "held", "by-hand", *(run["id"] for run in runs)]
    asked = [("jobs",), ("limits",), *(("show", name) for name in names)]
    asked.append(("why", "nightly", "--at", "2026-11-21T02:30:00Z"))
    found = {words[-1]: cli(*words, "--json", *redis).json for words in asked}
    for name in names[:4]:
        found[name]["runs"] = [run for run in found[name]["runs"] if run["ended_at"]]
    return {"runs": runs, **without(found, "hosts", "mends", "next", "next_fires")}


def without(value: Any, *names: str) -> Any:
    """The same, without these members anywhere."""
    if isinstance(value, dict):
        return {key: without(inner, *names) for key, inner in value.items() if key not in names}
    return [without(inner, *names) for inner in value] if isinstance(value, list) else value


def test_a_fleet_is_the_same_in_another_redis(
    cli: Cli, filled: Path, elsewhere: str, tmp_path: Path, store: Store
) -> None:
    file = tmp_path / "jober.jsonl.gz"
    done = cli("backup", str(file))
    assert done.status == 0, done.err
    assert done.text == (f"{file}: 1 calendar, 1 limit, 2 orders of hosts, 4 jobs, 2 ended runs\n")
    assert "not in the backup: 1 run that waited or went on" in done.err
    assert "what the runs have written is not in the backup" in done.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert gzip.decompress(file.read_bytes()).startswith(b'{"backup": "jober", "format": 1')

    dry = cli("restore", str(file), "--dry-run", "--redis", elsewhere)
    assert dry.status == 0, dry.err
    assert dry.text.splitlines()[1:] == [
        "added: 1 calendar, 1 limit, 2 orders of hosts, 4 jobs, 2 ended runs",
        "not in the backup: 1 run that waited or went on",
        "dry run: nothing written",
    ]
    with Jober(elsewhere) as jober:
        assert jober.store.connection.command("DBSIZE") == 0

    restored = cli("restore", str(file), "--redis", elsewhere)
    assert restored.status == 0, restored.err
    here, there = told(cli), told(cli, "--redis", elsewhere)
    # Its ledger tells besides what is not caught up.
    (missed,) = there["often"].pop("ledger")
    assert here["often"].pop("ledger") == []
    assert missed["decision"] == "missed" and "not caught up" in missed["reason"]
    assert there == here
    with Jober(elsewhere) as jober:
        assert jober.store.agents.orders() == store.agents.orders()
        assert jober.store.calendars.all() == store.calendars.all()
        assert jober.job("held").paused and not jober.job("often").paused
        for name in ("often", "held"):
            before, after = store.jobs.get(name), jober.job(name)
            assert (after.anchor_ms, after.fires) == (before.anchor_ms, 3)

    again = cli("restore", str(file), "--redis", elsewhere, "--json").json
    assert again["added"] == {"run": 0} and again["kept"] == []
    assert again["same"] == {"calendar": 1, "limit": 1, "host": 2, "job": 4, "run": 2}


def test_nothing_of_the_past_fires_and_intervals_go_on_as_they_were(
    cli: Cli, filled: Path, tmp_path: Path, fleet: Fleet
) -> None:
    """With a scheduler and an agent up while the backup of an hour ago comes in."""
    file = tmp_path / "jober.jsonl"
    assert cli("backup", str(file)).status == 0
    lines = file.read_text().splitlines()
    assert any('"job": "often"' in line for line in lines)
    fleet.scheduler()
    fleet.agent("alpha", "default")
    fleet.leading()
    restored_ms = fleet.jober.store.clock.now_ms()
    assert cli("restore", str(file), "--redis", fleet.url).status == 0
    often = fleet.jober.job("often")
    wait_until(lambda: fleet.jober.job("often").next_ms, told="often is planned")
    next_ms = fleet.jober.job("often").next_ms
    assert next_ms is not None and next_ms > restored_ms
    assert (next_ms - often.anchor_ms) % 60_000 == 0
    fleet.jober.resume("held")
    wait_until(lambda: fleet.jober.job("held").next_ms, told="held is planned")
    # A fire of the past would be decided on before one that comes later.
    fleet.jober.add_job("later", command="true", every=1)
    wait_until(lambda: fleet.jober.runs("later"), told="a later fire")
    for name in ("often", "held"):
        for run in fleet.jober.runs(name):
            assert run.fire_at_ms is not None and run.fire_at_ms > restored_ms
    (entry,) = [one for one in fleet.jober.ledger("often") if one.count > 1]
    assert entry.count in (60, 61) and "not caught up" in (entry.reason or "")
    assert fleet.jober.store.connection.client.exists("jober:ledger:held") == 0


def test_a_job_that_has_used_up_its_fires_fires_no_more(
    cli: Cli, tmp_path: Path, store: Store, fleet: Fleet
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[jobs.thrice]\ncommand = "true"\nevery = 1\nmax_fires = 3\n')
    cli("apply", str(file))
    store.connection.command("HSET", "jober:job:thrice", "fires", 3)
    backup = tmp_path / "jober.jsonl"
    cli("backup", str(backup))
    fleet.scheduler()
    fleet.agent("alpha", "default")
    assert cli("restore", str(backup), "--redis", fleet.url).status == 0
    fleet.jober.add_job("later", command="true", every=1)
    wait_until(lambda: len(fleet.jober.runs("later")) > 1, told="later fires")
    assert fleet.jober.runs("thrice") == [] and fleet.jober.job("thrice").fires == 3


def test_what_differs_is_kept_and_told_unless_it_is_replaced(
    cli: Cli, filled: Path, tmp_path: Path, store: Store
) -> None:
    file = tmp_path / "jober.jsonl"
    cli("backup", str(file))
    cli("resume", "held")
    cli("agents", "uncordon", "db1")
    cli("agents", "cordon", "db2")
    filled.write_text(FLEET)
    cli("apply", str(filled))
    cli("limits", "set", "database", "9")
    kept = cli("restore", str(file))
    assert kept.status == 0, kept.err
    lines = kept.text.splitlines()
    assert "~ job nightly" in lines
    assert "    cron: '0 3 * * *' → '30 2 * * *'" in lines
    assert "    state: active → paused" in lines
    assert "~ limit database" in lines and "    9 → 3" in lines
    assert any("not cordoned, roles db,web" in line for line in lines)
    assert any(line.startswith("kept as they are: ") for line in lines)
    assert not store.jobs.get("held").paused
    assert cli("restore", str(file), "--replace").status == 0
    assert store.jobs.get("held").paused
    assert store.jobs.get("nightly").job.cron == "30 2 * * *"
    assert store.limits.slots() == {"database": 3}
    assert not store.agents.orders()["db2"].cordoned
    after = cli("restore", str(file), "--json").json
    assert after["kept"] == [] and after["same"]["job"] == 4


def test_a_job_that_somebody_adds_meanwhile_stays_and_the_others_are_restored(
    cli: Cli, filled: Path, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "jober.jsonl"
    cli("backup", str(file))
    with Jober(elsewhere) as jober, file.open("rb") as stream:
        restoring = Restoring(
            jober.store,
            BackupReader(stream, "a.jsonl"),
            replace=False,
            history=True,
            progress=lambda doing, number: None,
        )
        assert restoring.check().added["job"] == 4
        jober.add_job("held", command="other")
        restoring.carry_out()
        assert jober.job("held").job.command == "other"
        assert [record.name for record in jober.jobs()] == ["by-hand", "held", "nightly", "often"]


def test_without_history_runs_and_ledgers_stay_out(
    cli: Cli, filled: Path, elsewhere: str, tmp_path: Path
) -> None:
    whole, bare = tmp_path / "whole.jsonl", tmp_path / "bare.jsonl"
    cli("backup", str(whole))
    counts = cli("backup", str(bare), "--no-history", "--json").json["counts"]
    assert counts == {"calendar": 1, "limit": 1, "host": 2, "job": 4}
    for file in (whole, bare):
        assert cli("restore", str(file), "--no-history", "--redis", elsewhere).status == 0
        with Jober(elsewhere) as jober:
            assert jober.runs() == []
            assert jober.job("nightly").revision == 2
            assert not jober.store.connection.client.exists("jober:ledger:nightly")
            assert not jober.store.connection.client.exists("jober:former:nightly")
            jober.store.connection.client.flushall()


def test_a_pipe_carries_a_backup(
    cli: Cli, filled: Path, elsewhere: str, redis_server: RedisServer
) -> None:
    jober = str(BIN / "jober")
    taken = subprocess.run([jober, "backup", "-", "--redis", redis_server.url], capture_output=True)
    assert taken.returncode == 0 and b"2 ended runs" in taken.stderr
    put = subprocess.run(
        [jober, "restore", "-", "--redis", elsewhere, "--json"],
        input=taken.stdout,
        capture_output=True,
    )
    assert put.returncode == 0, put.stderr
    assert json.loads(put.stdout)["added"]["job"] == 4


def changed(file: Path, change: Callable[[str], str]) -> None:
    """The backup, as if it had been written so."""
    *lines, end = file.read_text().splitlines(keepends=True)
    body = "".join(change(line) for line in lines)
    told = json.loads(end)
    told["end"]["sha256"] = hashlib.sha256(body.encode()).hexdigest()
    file.write_text(body + json.dumps(told) + "\n")


def test_whatever_is_wrong_is_told_and_nothing_is_written(
    cli: Cli, filled: Path, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "jober.jsonl"

    def refused(change: Callable[[str], str]) -> str:
        cli("backup", str(file))
        changed(file, change)
        done = cli("restore", str(file), "--redis", elsewhere)
        assert done.status == 1
        with Jober(elsewhere) as jober:
            assert jober.store.connection.command("DBSIZE") == 0
        return done.err

    bad = refused(lambda line: line.replace('"every": 60', '"evry": 60'))
    assert "job 'held': evry: unknown field 'evry', did you mean 'every'?" in bad
    assert "job 'often': evry" in bad
    assert "no limit is named 'database'" in refused(
        lambda line: line.replace('{"limit": "database"', '{"limit": "other"')
    )
    assert "the history of job nightly cannot be read" in refused(
        lambda line: line.replace('"decision": "missed"', '"decision": "x"')
    )
    cli("backup", str(file))
    file.write_bytes(file.read_bytes()[:-10])
    cut = cli("restore", str(file), "--redis", elsewhere)
    assert cut.status == 1 and "it was cut" in cut.err
    assert "cannot be read: No such file" in cli("restore", str(tmp_path / "none")).err


def test_a_backup_that_fails_leaves_the_older_one_and_no_other(
    cli: Cli, filled: Path, tmp_path: Path, store: Store
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "jober.jsonl"
    cli("backup", str(file))
    before = file.read_bytes()
    store.connection.command("DEL", "jober:former:nightly")
    store.connection.command("SET", "jober:former:nightly", "a string, where a hash should be")
    assert cli("backup", str(file)).status == 1
    assert file.read_bytes() == before
    assert list(folder.iterdir()) == [file]
    assert "it is no file" in cli("backup", str(folder)).err
    assert "cannot be written: No such file" in cli("backup", str(folder / "no" / "file")).err


def test_jobs_that_name_others_are_restored_in_whatever_order_they_stand(
    cli: Cli, hand: Hand, store: Store, tmp_path: Path, elsewhere: str
) -> None:
    hand.job("z")
    hand.job("b", on_success=["z"])
    hand.job("a", needs=["b", "z"])
    file = tmp_path / "jober.jsonl"
    assert cli("backup", str(file)).status == 0
    assert cli("restore", str(file), "--redis", elsewhere).status == 0
    with Jober(elsewhere) as jober:
        assert jober.graph().order() == ("b", "z", "a")
