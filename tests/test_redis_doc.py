"""docs/redis.md and Redis say the same: a real fleet does all it can, and each key it leaves, each
field, type, expiry and message is looked up on the page; and the page promises nothing more."""

import inspect
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jober import Jober
from jober.embedded import find_server
from jober.event import EVENT_TYPES
from jober.ids import manual_run_id
from jober.run import RQ_STATUS, TRANSITIONS, RunState
from jober.store import Store, keys
from jober.store.runs import ManualRun
from tests.everything import (
    PATIENCE_S,
    end_all,
    left_over,
    make_all_happen,
    observed,
    wait_for_all,
)
from tests.fleet import Fleet
from tests.receiver import Receiver
from tests.redis_page import CHANNELS, ENTRIES, EVENT_FACTS, PAGE, rows

ROOT = Path(__file__).parent.parent
LUA = ROOT / "common" / "jober" / "store" / "lua"


def test_every_name_in_keys_py_is_on_the_page() -> None:
    known = {re.sub(r"<\w+>", "<>", entry.pattern) for entry in ENTRIES}
    for name, value in vars(keys).items():
        if name.startswith("_"):
            continue
        if inspect.isfunction(value):
            arguments = ["<>" for _ in inspect.signature(value).parameters]
            built = value(*arguments)
            if "host" in inspect.signature(value).parameters:
                built = built.replace("@<>", "[@<>]")
            assert built in known, f"keys.{name} builds {built}, which the page does not tell of"
        else:
            assert value in known, f"keys.{name} is {value}, which the page does not tell of"


def test_every_key_that_a_script_builds_is_on_the_page() -> None:
    beginnings = [entry.pattern.split("<")[0].split("[")[0] for entry in ENTRIES]
    for path in LUA.rglob("*.lua"):
        code = re.sub(r"--.*", "", path.read_text("utf-8"))
        for literal in re.findall(r"'((?:jober|rq):[^']*)'", code):
            assert literal in beginnings, f"{path.name} builds {literal}…, the page knows none such"


def test_every_event_type_is_on_the_page() -> None:
    assert EVENT_FACTS.keys() == EVENT_TYPES.keys()


def test_the_states_on_the_page_are_those_of_the_transition_table() -> None:
    told = {row[0].strip("`"): row for row in rows("| state | RQ's `status` |")}
    assert told.keys() == {str(state) for state in RunState}
    for state, next_states in TRANSITIONS.items():
        assert told[state][1] == f"`{RQ_STATUS[state]}`"
        assert set(re.findall(r"`(\w+)`", told[state][3])) == set(next_states)


def test_a_list_that_has_grown_past_its_bound_is_told_to_the_pruner(store: Store) -> None:
    with Jober(store.url) as jober, observed(store.url) as observer:
        jober.add_job("hoard", command="true", roles=["nowhere"])
        ids = [manual_run_id("hoard", 1) for _ in range(1101)]
        store.runs.enqueue("hoard", [ManualRun(id=id) for id in ids])
        store.runs.cancel(ids[0], "enough")
        observer.look()
    assert keys.OVERFULL in observer.seen
    assert not observer.problems


def test_all_that_a_fleet_writes_is_on_the_page_and_all_on_the_page_is_written(
    fleet: Fleet, tmp_path: Path
) -> None:
    with observed(fleet.url) as observer, Receiver() as receiver:
        make_all_happen(fleet, observer, receiver.url)
        _check_recipes(fleet.jober, fleet.url, tmp_path)
        wait_for_all(fleet.jober, observer)
        skipped = "overlap: 1 run is still going"
        observer.until(
            lambda: skipped in {entry.reason for entry in fleet.jober.ledger("slow")},
            "a fire that was skipped",
        )
        assert fleet.jober.ledger("lonely")[0].reason == "no live host for role nowhere"
        end_all(fleet, observer)
        observer.look()
        assert not observer.problems, "\n".join(sorted(observer.problems))
        assert observer.events == EVENT_TYPES.keys()
        forms = {f"{keys.out('<run>')} {kind}" for kind in ("frame", "progress", "end")}
        assert forms <= observer.told
        assert {entry.pattern for entry in CHANNELS} <= observer.told
        assert not left_over(observer.client)


# The recipes


def _client_program() -> str:
    """redis-cli: on PATH, or beside the server."""
    for name in ("redis-cli", "valkey-cli"):
        beside = Path(find_server()).with_name(name)
        if found := shutil.which(name) or (str(beside) if beside.exists() else None):
            return found
    pytest.fail("there is a Redis server and no redis-cli (apt install redis-tools)")


def _check_recipes(jober: Jober, url: str, folder: Path) -> None:
    """Each line of each recipe does what it should in a plain shell, and prints something."""
    shim = folder / "redis-cli"
    shim.write_text(f'#!/bin/sh\nexec {_client_program()} -s {url.removeprefix("unix://")} "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "JOB": "nightly",
        "RUN": next(run.id for run in jober.runs("nightly") if run.state == "success"),
        "AGENT": jober.agents()[0].id,
    }
    recipes = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(recipes) >= 10
    for recipe in recipes:
        endless = re.search(r"^redis-cli SUBSCRIBE (\S+)$", recipe, re.MULTILINE)
        if endless:
            assert endless[1] in {entry.pattern for entry in CHANNELS}
            recipe = recipe.replace(endless[0], "")
        # The failures of a job are looked for where there are some.
        job = {"JOB": "broken"} if "failed" in recipe else {}
        done = subprocess.run(
            ["/bin/sh", "-euc", recipe],
            env={**environment, **job},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{recipe}\n{done.stderr}"
        assert done.stdout.strip(), f"the recipe printed nothing:\n{recipe}"
        assert "ERR" not in done.stdout and "WRONGTYPE" not in done.stdout, done.stdout
        if "EVAL" in recipe:
            assert {"hello", "oops"} <= set(done.stdout.split())
        if "failed" in recipe:
            assert "exit code 3" in done.stdout
