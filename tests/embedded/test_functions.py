"""Functions that only one program has, in a thread of it; and those that any can import."""

import operator
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober import Jober, current_run
from jober.errors import DefinitionError, RunFailed
from jober.run import RunState
from tests.embedded.programs import WITHIN_S, program, said
from tests.fleet import BIN
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def jober(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jober]:
    with Jober(tmp_path_factory.mktemp("shared") / "state") as jober:
        yield jober


def test_a_lambda_and_a_closure_are_called_in_a_thread_of_the_program(jober: Jober) -> None:
    factor, threads = 21, []

    def times(number: int, *, plus: int = 0) -> int:
        threads.append(threading.current_thread())
        print("times", number)  # noqa: T201
        return factor * number + plus

    run = jober.run(times, args=(2,), kwargs={"plus": 1})
    assert run.result(WITHIN_S) == 43
    assert run.stdout.lines() == ["times 2"]
    assert threads[0] in threading.enumerate() and threads[0] is not threading.main_thread()
    assert jober.run(lambda: factor).result(WITHIN_S) == 21
    assert run.rerun(args=[3]).result(WITHIN_S) == 63 + 1


def test_a_local_function_fails_and_is_tried_again_as_any_other(jober: Jober) -> None:
    calls = []

    def sometimes() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OSError("not yet")
        return len(calls)

    assert jober.run(sometimes, retries=2, retry_delay=0).result(WITHIN_S) == 3
    error = jober.run(lambda: 1 / 0).exception(WITHIN_S)
    assert isinstance(error, RunFailed)
    assert error.reason == "ZeroDivisionError: division by zero"


def test_a_local_function_tells_its_progress_and_is_asked_to_stop(jober: Jober) -> None:
    def obeys() -> str:
        current_run().progress(1, 2)
        return "stopped" if current_run().wait_cancelled(WITHIN_S) else "went on"

    run = jober.run(obeys)
    wait_until(lambda: run.progress, WITHIN_S)
    assert run.cancel("enough") == "asked"
    assert run.wait(WITHIN_S).state is RunState.CANCELLED


def test_a_local_function_is_a_job_too_and_runs_here_whatever_its_roles(jober: Jober) -> None:
    here = threading.get_ident
    jober.add_job(lambda: here() and "here", name="local", roles=["elsewhere"])
    assert jober.run("local").result(WITHIN_S) == "here"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"process": True}, "process: the function is of this program alone, and runs in a thread"),
        ({"timeout": 3}, "timeout: the function is of this program alone"),
        ({"detach": True}, "detach: the function is of this program alone, and ends with it"),
    ],
)
def test_what_a_local_function_cannot_have_is_refused(
    jober: Jober, how: dict[str, object], told: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        jober.run(lambda: 1, **how)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_a_function_that_can_be_imported_runs_in_the_agent_of_the_folder(jober: Jober) -> None:
    run = jober.run(operator.add, args=(20, 22))
    assert run.result(WITHIN_S) == 42
    assert run.run.host not in {agent.host for agent in jober.agents() if "program" in agent.host}
    assert jober.run(operator.add, args=(1, 1), process=True, timeout=60).result(WITHIN_S) == 2


def test_any_role_is_served_in_a_folder(jober: Jober) -> None:
    run = jober.run(["true"], roles=["db+big", "web+!small"])
    assert run.wait(WITHIN_S).state is RunState.SUCCESS
    jober.add_job("anywhere", command="true", roles=["!gpu"])
    assert jober.run("anywhere").wait(WITHIN_S).state is RunState.SUCCESS


def test_a_run_on_each_host_is_made_as_soon_as_a_folder_is_open(tmp_path: Path) -> None:
    with Jober(tmp_path / "state") as jober:
        jober.add_job("everywhere", command="true", on="every", roles=["db"])
        [run] = jober.run_everywhere("everywhere")
        assert run.wait(WITHIN_S).state is RunState.SUCCESS


def test_a_program_whose_modules_the_agent_has_not_calls_them_itself(
    jober: Jober, tmp_path: Path
) -> None:
    """The agent imports from where the first program to come does."""
    (tmp_path / "mine.py").write_text("import os\ndef pid():\n    return os.getpid()\n")
    code = (
        "import os; sys.path.insert(0, sys.argv[2]); import mine\n"
        "j = Jober(sys.argv[1])\n"
        "print(j.run(mine.pid).result(60) == os.getpid(), flush=True)\n"
        "def main(): return os.getpid()\n"
        "print(j.run(main).result(60) == os.getpid(), flush=True)\n"
    )
    with program(code, _folder(jober), tmp_path) as other:
        assert (said(other), said(other)) == ("True", "True")


def test_runs_of_a_program_that_is_killed_end_though_they_were_in_its_threads(jober: Jober) -> None:
    code = (
        "import time\nj = Jober(sys.argv[1])\n"
        "print(j.run(lambda: time.sleep(600)).id, flush=True)\ninput()\n"
    )
    with program(code, _folder(jober)) as other:
        run = jober.handle(said(other))
        run.wait(WITHIN_S, until="running")
        other.kill()
        other.wait()
        assert run.wait(WITHIN_S).state in (RunState.CANCELLED, RunState.LOST)


def test_the_command_line_works_on_a_folder(jober: Jober) -> None:
    run = jober.run(["echo", "seen"])
    run.wait(WITHIN_S)
    done = subprocess.run(
        [str(BIN / "jober"), "logs", run.id, "--redis", jober.url], capture_output=True, text=True
    )
    assert done.stdout == "seen\n", done.stderr


def _folder(jober: Jober) -> Path:
    return Path(jober.url.removeprefix("unix://")).parent
