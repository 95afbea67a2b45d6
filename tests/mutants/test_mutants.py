"""The mutations are those of the code as it is; some are tried, `make mutants` tries all."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet import BIN
from tests.mutants.confined import TIMED_OUT
from tests.mutants.mutation import ROOT, Mutation, StaleMutation, copy_tree
from tests.mutants.mutations import MUTATIONS
from tests.mutants.trial import Verdict, run, try_mutation
from tests.waiting import wait_until
from tests.worker.test_process import lives

# Some seconds each.
TRIED = (
    "FIRE: no fence",
    "CLAIM: takes no slots",
    "FINISH: never releases",
    "planner: from now, and not from the cursor",
    "cron: both day fields must match",
)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_what_a_mutation_changes_is_in_the_code_once(mutation: Mutation) -> None:
    for file, text in mutation.mutated().items():
        assert text != (ROOT / file).read_text("utf-8")


def test_names_stand_for_one_mutation_each() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS)


def test_every_script_has_a_mutation() -> None:
    lua = (ROOT / "common" / "jober" / "store" / "lua").rglob("*.lua")
    assert {str(path.relative_to(ROOT)) for path in lua} <= {one.file for one in MUTATIONS}


def test_a_mutation_of_what_is_not_there_is_told() -> None:
    stale = Mutation(
        name="none", promise="fires", file="README.md", old="no such text", new="", test=""
    )
    with pytest.raises(StaleMutation, match="'none'.* is 0 times in README.md"):
        stale.mutated()


@pytest.mark.parametrize("name", TRIED)
def test_a_mutation_is_killed(name: str) -> None:
    (mutation,) = [one for one in MUTATIONS if one.name == name]
    trial = try_mutation(mutation)
    assert trial.verdict is Verdict.KILLED, trial.told


def test_all_that_a_test_starts_is_of_the_copy(tmp_path: Path) -> None:
    copy_tree(tmp_path / "tree")
    init = tmp_path / "tree" / "common" / "jober" / "__init__.py"
    told = init.read_text("utf-8")
    (line,) = [line for line in told.splitlines() if line.startswith("__version__")]
    init.write_text(told.replace(line, '__version__ = "copied"'), "utf-8")
    programs = [[str(BIN / one), "--version"] for one in ("jober-scheduler", "jober-worker")]
    programs += [[sys.executable, "-m", "jober.cli", "--version"]]
    code = f"import subprocess\nfor one in {programs}: subprocess.run(one, check=True)"
    status, output = run(tmp_path / "tree", "-c", code)
    assert (status, output.count("copied")) == (0, 3), output


def test_nothing_that_a_mutant_leaves_behind_survives_its_trial(tmp_path: Path) -> None:
    """Not what has left its session and its parent, and not where the time is over."""
    pid = tmp_path / "pid"
    leave = f"setsid sh -c 'echo $$ > {pid}; sleep 600' & "
    leave += f"while [ ! -s {pid} ]; do sleep 0.02; done; "
    confined = [sys.executable, "-m", "tests.mutants.confined"]
    done = subprocess.run([*confined, "60", "sh", "-c", f"{leave} exit 3"], cwd=ROOT)
    assert done.returncode == 3
    assert not lives(int(pid.read_text()))
    pid.unlink()
    done = subprocess.run([*confined, "2", "sh", "-c", f"{leave} sleep 600"], cwd=ROOT)
    assert done.returncode == TIMED_OUT
    wait_until(lambda: not lives(int(pid.read_text())), told="all is gone")
