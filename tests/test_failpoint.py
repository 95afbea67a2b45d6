"""Failpoints: all are in the code, and do what the environment says."""

import ast
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.errors import DefinitionError
from jober.failpoint import FAILPOINTS, FOLDER_VARIABLE, VARIABLE, FailpointError, arm, failpoint
from jober.pace import read_pace
from tests.fleet import BIN, ROOT
from tests.waiting import wait_until

NAME = "leader.before_fire"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm({})


def test_each_declared_failpoint_stands_in_the_code_once_and_no_other_does() -> None:
    found: Counter[str] = Counter()
    for folder in ("common/jober", "scheduler/jober_scheduler", "worker/jober_worker"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    if node.func.id == "failpoint":
                        (name,) = node.args
                        assert isinstance(name, ast.Constant), f"{path}:{node.lineno}"
                        found[str(name.value)] += 1
    assert found == Counter(FAILPOINTS.keys())


def test_a_failpoint_that_is_not_armed_does_nothing() -> None:
    arm({VARIABLE: "leader.fired=error"})
    failpoint(NAME)


def test_it_fails_at_the_pass_that_was_named_and_at_no_other() -> None:
    arm({VARIABLE: f"leader.fired=kill,{NAME}=error@2"})
    failpoint(NAME)
    with pytest.raises(FailpointError, match=NAME):
        failpoint(NAME)
    failpoint(NAME)


def test_it_fails_at_each_third_pass() -> None:
    arm({VARIABLE: f"{NAME}=error%3"})
    failed = []
    for n in range(1, 8):
        try:
            failpoint(NAME)
        except FailpointError:
            failed.append(n)
    assert failed == [3, 6]


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("leader.before_fir=kill", "did you mean 'leader.before_fire'"),
        (NAME, "cannot be read"),
        (f"{NAME}=explode", "cannot be read"),
        (f"{NAME}=kill@0", "cannot be read"),
        (f"{NAME}=hang", "cannot be read"),
    ],
)
def test_what_is_wrong_with_the_environment_is_told(told: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        arm({VARIABLE: told})


@pytest.mark.parametrize("program", ["jober-scheduler", "jober-worker"])
@pytest.mark.parametrize(
    ("variable", "value"), [(VARIABLE, "agent.clamed=kill"), ("JOBER_PACE", "fast")]
)
def test_a_daemon_does_not_start_with_a_wrong_one(program: str, variable: str, value: str) -> None:
    ended = subprocess.run(
        [BIN / program], env={**os.environ, variable: value}, capture_output=True, text=True
    )
    assert ended.returncode == os.EX_CONFIG
    assert variable in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_stop_is_announced_and_holds_the_thread_at_its_place(tmp_path: Path) -> None:
    code = f"""
import os
from jober.failpoint import arm, failpoint
arm(os.environ)
failpoint({NAME!r})
os.write(1, b"went on")
"""
    environ = {VARIABLE: f"{NAME}=stop", FOLDER_VARIABLE: str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **environ}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        wait_until((tmp_path / f"{NAME}.{process.pid}.1").exists)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        os.set_blocking(process.stdout.fileno(), False)
        assert process.stdout.read() is None
        process.send_signal(signal.SIGCONT)
        assert wait_until(process.stdout.read) == b"went on"


def test_a_pace_is_a_number_within_bounds() -> None:
    assert read_pace({}) == 1
    assert read_pace({"JOBER_PACE": "0.2"}) == 0.2
    for wrong in ("", "fast", "0", "2", "nan"):
        with pytest.raises(DefinitionError, match="JOBER_PACE"):
            read_pace({"JOBER_PACE": wrong})
