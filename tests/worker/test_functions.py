"""Functions as runs: found by name, called, and what comes of it."""

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jober.output import Stream
from jober.run import MAX_RESULT_BYTES, Outcome, RunState
from jober_worker.functions import Data, call
from jober_worker.prints import capture_prints, captured
from tests.waiting import wait_until
from tests.worker.in_process import InProcess
from tests.worker.test_process import lives

TASKS = """
import asyncio, os, signal, subprocess, sys, threading, time

class Tool:
    @staticmethod
    def use(x): return x * 2
    def __repr__(self): return "Tool()"

tool = Tool()
number = 7

def fail(): inner()
def inner(): raise ValueError("no\\ngood")
def echo(*args, **kwargs): return [list(args), kwargs]
def out(code=None): sys.exit(code)
def speak(who="x"): print("out", who); print("err", who, file=sys.stderr)
async def soon(x): await asyncio.sleep(0); return x + 1
async def fails_soon(): raise KeyError("later")
def returns_object(): return tool
def returns_set(): return {1}
def returns_nan(): return float("nan")
def returns_surrogate(): return "caf\\udce9"
def fails_with_surrogate(): raise ValueError("caf\\udce9")
def counts(n):
    for i in range(n): print("item", i); yield i
def counts_objects(): yield 1; yield tool
def counts_wide(n):
    for i in range(n): yield "x" * 1000
async def counts_soon(n):
    for i in range(n): await asyncio.sleep(0); yield i
async def counts_later(n): await asyncio.sleep(0); return counts_soon(n)
def counts_and_fails():
    yield 1
    raise ValueError("midway")
def skips():
    from jober import Skip
    raise Skip("no new files")
def fails_with_locals():
    path = "/srv/data"; big = "x" * 1_000_000; many = list(range(100_000)); bad = Unshowable()
    try: int(path)
    except ValueError as error: raise KeyError("outer") from error
def deep():
    found = []
    for _ in range(100_000): found = [found]
    return found
class Worse(Exception):
    def __str__(self): raise RuntimeError
def fails_worse(): raise Worse
def fails_at_length(): raise ValueError("x" * 10_000_000)
class Unshowable:
    def __repr__(self): raise RuntimeError
def unshowable(): return Unshowable()
def exit_in_the_middle(code): os._exit(code)
def kill_itself(number): os.kill(os.getpid(), number)
def close_everything(): os.closerange(0, 100)
def leave_a_thread(): threading.Thread(target=time.sleep, args=(60,)).start(); return "left"
def hang(): print("up", flush=True); time.sleep(60)
def where(): return os.getcwd()
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a package with a module of functions; the folder of it is the current one."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tasks.py").write_text(TASKS)
    (package / "broken.py").write_text("import no_such_library\n")
    (package / "wrong.py").write_text("def f(:\n")
    (package / "exploding.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "shop.tasks"
    for module in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[module]


def test_a_function_is_found_by_its_dotted_name_and_gets_its_arguments(tasks: str) -> None:
    outcome = call(f"{tasks}.echo", [1, "a"], {"b": None})
    assert outcome == Outcome(
        state=RunState.SUCCESS, exit_code=0, return_value=[[1, "a"], {"b": None}]
    )
    assert call(f"{tasks}:Tool.use", [4], {}).return_value == 8
    assert call(f"{tasks}.tool.use", [4], {}).return_value == 8
    assert call("operator.add", [1, 2], {}).return_value == 3


def test_a_function_of_a_file_is_found(tasks: str) -> None:
    assert call("echo", ["a"], {}, file="./shop/tasks.py").return_value == [["a"], {}]
    assert "there is no file no.py" in (call("f", [], {}, file="./no.py").reason or "")
    (tasks_file := Path("typed.py")).write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Point:\n    x: int\n"
        "def f():\n    import pickle\n    return pickle.loads(pickle.dumps(Point(3))).x\n"
    )
    assert call("f", [], {}, file=str(tasks_file)).return_value == 3
    missing = call("nothing", [], {}, file="./shop/tasks.py")
    assert missing.reason == "./shop/tasks.py:nothing: the file has no 'nothing'"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("shop.nothing.f", "shop.nothing.f: shop has no 'nothing'"),
        ("shop.tasks.nothing", "shop.tasks.nothing: shop.tasks has no 'nothing'"),
        ("shop.tasks.tool.no", "shop.tasks.tool.no: an object of type Tool has no 'no'"),
        ("shop.tasks.number", "shop.tasks.number is not callable, it is of type int"),
        ("nowhere.f", "no module of nowhere.f can be imported on this host"),
        ("len", "no module of len can be imported on this host"),
        ("..f", "'..f' is not the name of a function (pkg.mod.func)"),
        ("rm -rf", "'rm -rf' is not the name of a function (pkg.mod.func)"),
    ],
)
def test_a_function_that_is_not_there_is_told_without_a_traceback_of_ours(
    tasks: str, name: str, reason: str
) -> None:
    outcome = call(name, [], {})
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 1)
    assert (outcome.reason or "").startswith(reason)
    assert outcome.traceback is None


@pytest.mark.parametrize(
    ("module", "reason", "first"),
    [
        ("broken", "ModuleNotFoundError: No module named 'no_such_library'", "broken.py"),
        ("wrong", "SyntaxError: invalid syntax", "wrong.py"),
        ("exploding", "ZeroDivisionError: division by zero", "exploding.py"),
    ],
)
def test_a_module_that_fails_at_its_import_says_why(
    tasks: str, module: str, reason: str, first: str
) -> None:
    outcome = call(f"shop.{module}.f", [], {})
    assert (outcome.reason or "").startswith(reason)
    lines = [line for line in (outcome.traceback or "").splitlines() if "File " in line]
    assert first in lines[0]


def test_a_traceback_begins_at_the_frame_of_its_author(tasks: str) -> None:
    outcome = call(f"{tasks}.fail", [], {})
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 1)
    assert outcome.reason == "ValueError: no"
    frames = [line for line in (outcome.traceback or "").splitlines() if "File " in line]
    assert [frame.rpartition(" ")[2] for frame in frames] == ["fail", "inner"]
    outcome = call(f"{tasks}.fails_soon", [], {})
    frames = [line for line in (outcome.traceback or "").splitlines() if "File " in line]
    assert [frame.rpartition(" ")[2] for frame in frames] == ["fails_soon"]
    assert outcome.reason == "KeyError: 'later'"
    wrong = call(f"{tasks}.soon", [], {})
    assert wrong.traceback == f"{wrong.reason}\n"
    assert "missing 1 required positional argument" in (wrong.reason or "")


def test_an_async_function_is_run_to_its_end(tasks: str) -> None:
    assert call(f"{tasks}.soon", [1], {}).return_value == 2


@pytest.mark.parametrize("name", ["counts", "counts_soon", "counts_later"])
def test_the_items_of_a_generator_are_the_result(tasks: str, name: str) -> None:
    outcome = call(f"{tasks}.{name}", [3], {})
    assert (outcome.state, outcome.return_value) == (RunState.SUCCESS, [0, 1, 2])
    assert outcome.reason is None


def test_a_generator_of_too_many_items_is_run_to_its_end_and_its_first_items_are_kept(
    tasks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = call(f"{tasks}.counts", [10_002], {})
    assert outcome.return_value == list(range(10_000))
    assert outcome.reason == "it yielded 10002 items: the first 10000 are kept"
    assert capsys.readouterr().out.endswith("item 10001\n")
    wide = call(f"{tasks}.counts_wide", [1000], {})
    kept = wide.return_value
    assert 200 < len(kept) < 262 and len(json.dumps(kept)) <= MAX_RESULT_BYTES
    assert wide.reason == f"it yielded 1000 items: the first {len(kept)} are kept"


def test_an_item_that_is_not_json_is_kept_as_its_repr_and_a_generator_that_raises_has_failed(
    tasks: str,
) -> None:
    outcome = call(f"{tasks}.counts_objects", [], {})
    assert outcome.return_value == [1, "Tool()"]
    assert outcome.reason == "an item is a Tool, not JSON: its repr is kept"
    failed = call(f"{tasks}.counts_and_fails", [], {})
    assert (failed.state, failed.reason) == (RunState.FAILED, "ValueError: midway")


def test_a_function_that_raises_skip_is_skipped_for_its_reason(tasks: str) -> None:
    outcome = call(f"{tasks}.skips", [], {})
    assert outcome == Outcome(state=RunState.SKIPPED, reason="no new files")


def test_a_traceback_tells_local_variables_where_they_are_asked_for_and_no_more_than_fits(
    tasks: str,
) -> None:
    without = call(f"{tasks}.fails_with_locals", [], {}).traceback or ""
    assert "/srv/data" in without and "path = " not in without
    told = call(f"{tasks}.fails_with_locals", [], {}, with_locals=True).traceback or ""
    assert told.count("    path = '/srv/data'\n") == 2  # of the error, and of its cause
    assert "    many = [0, 1, 2, 3, 4, 5, ...]\n" in told
    assert "    bad = <Unshowable instance at 0x" in told
    assert len(told) < 3000


@pytest.mark.parametrize(
    ("code", "state", "exit_code", "reason"),
    [
        (None, RunState.SUCCESS, 0, None),
        (0, RunState.SUCCESS, 0, None),
        (256, RunState.SUCCESS, 0, None),
        (3, RunState.FAILED, 3, "exit code 3"),
        (-1, RunState.FAILED, 255, "exit code 255"),
        ("no disk", RunState.FAILED, 1, "no disk"),
    ],
)
def test_sys_exit_ends_a_function_as_it_ends_an_interpreter(
    tasks: str, code: Any, state: RunState, exit_code: int, reason: str | None
) -> None:
    outcome = call(f"{tasks}.out", [code], {})
    assert (outcome.state, outcome.exit_code, outcome.reason) == (state, exit_code, reason)


def test_a_value_that_is_not_json_is_kept_as_its_repr_with_a_note(tasks: str) -> None:
    outcome = call(f"{tasks}.returns_object", [], {})
    assert (outcome.state, outcome.return_value) == (RunState.SUCCESS, "Tool()")
    assert outcome.reason == "the return value is a Tool, not JSON: its repr is kept"
    assert call(f"{tasks}.returns_set", [], {}).return_value == "{1}"
    assert call(f"{tasks}.returns_nan", [], {}).return_value == "nan"
    for name in ("deep", "unshowable"):
        outcome = call(f"{tasks}.{name}", [], {})
        assert (outcome.state, outcome.return_value) == (RunState.SUCCESS, None)
        assert "not JSON, and its repr raises R" in (outcome.reason or "")


def test_what_a_function_tells_can_be_written_whatever_it_is(tasks: str) -> None:
    assert call(f"{tasks}.returns_surrogate", [], {}).return_value == "caf\udce9"
    outcome = call(f"{tasks}.fails_with_surrogate", [], {})
    assert outcome.reason == "ValueError: caf\\udce9"
    (outcome.traceback or "").encode()
    outcome = call(f"{tasks}.fails_worse", [], {})
    assert outcome.reason == "Worse (which cannot be shown: RuntimeError)"
    outcome = call(f"{tasks}.fails_at_length", [], {})
    assert len(outcome.reason or "") == 500
    assert len(outcome.traceback or "") < 70_000
    assert "characters cut" in (outcome.traceback or "")


def test_prints_of_parallel_threads_are_told_apart(
    tasks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = open(os.devnull, "w")
    monkeypatch.setattr(sys, "stdout", through)
    monkeypatch.setattr(sys, "stderr", through)
    capture_prints()
    told: dict[int, dict[Stream, bytearray]] = {}
    together = threading.Barrier(8)

    def run(n: int) -> None:
        written: dict[Stream, bytearray] = defaultdict(bytearray)
        told[n] = written

        def write(stream: Stream, data: Data) -> None:
            written[stream] += data

        together.wait()
        with captured(write):
            for _ in range(50):
                call(f"{tasks}.speak", [n], {})
            sys.stdout.buffer.write(b"\xff\n")
            sys.stdout.write("lone \ud800\n")

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, written in told.items():
        assert written[Stream.STDOUT] == f"out {n}\n".encode() * 50 + b"\xff\nlone \\ud800\n"
        assert written[Stream.STDERR] == f"err {n}\n".encode() * 50
    through.close()


def test_a_function_in_a_process_of_its_own_ends_as_it_would_in_a_thread(tasks: str) -> None:
    big = ["x" * 1_000_000, {"a": [1.5, None, True]}]
    echoed = InProcess(f"{tasks}.echo", *big)
    assert echoed.run().return_value == [big, {}]
    failing = InProcess(f"{tasks}.fail")
    outcome = failing.run()
    assert replace(outcome, cpu_s=None, peak_memory_bytes=None) == call(f"{tasks}.fail", [], {})
    assert failing.err.decode() == outcome.traceback
    assert InProcess(f"{tasks}.out", 5).run().exit_code == 5
    assert InProcess(f"{tasks}.returns_surrogate").run().return_value == "caf\udce9"
    spoken = InProcess(f"{tasks}.speak")
    assert spoken.run().state is RunState.SUCCESS
    assert spoken.out + spoken.err == b"out x\nerr x\n"


def test_a_function_in_a_process_is_found_from_another_folder_too(
    tasks: str, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "local.py").write_text("def f(): return 'local'\n")
    assert InProcess(f"{tasks}.where", cwd=str(folder)).run().return_value == str(folder)
    assert InProcess("f", file="./local.py", cwd=str(folder)).run().return_value == "local"


@pytest.mark.parametrize(
    ("name", "argument", "exit_code", "why"),
    [
        ("exit_in_the_middle", 7, 7, "exit code 7"),
        ("exit_in_the_middle", 0, 1, "exit code 0"),
        ("kill_itself", 9, 137, "killed by SIGKILL"),
        ("kill_itself", 11, 139, "killed by SIGSEGV"),
    ],
)
def test_a_process_that_ends_before_its_function_returns_has_failed(
    tasks: str, name: str, argument: int, exit_code: int, why: str
) -> None:
    died = InProcess(f"{tasks}.{name}", argument)
    outcome = died.run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, exit_code)
    assert outcome.reason == f"its process ended before the function returned: {why}"
    assert outcome.traceback is None
    assert died.err == b""


def test_a_function_that_closes_all_descriptors_has_failed_without_a_traceback_of_ours(
    tasks: str,
) -> None:
    closed = InProcess(f"{tasks}.close_everything")
    assert closed.run().state is RunState.FAILED
    assert b"Traceback" not in closed.err


def test_what_a_function_leaves_behind_does_not_hold_its_run(tasks: str) -> None:
    assert InProcess(f"{tasks}.leave_a_thread").run().return_value == "left"


def test_a_function_in_a_process_is_stopped_at_its_timeout(tasks: str) -> None:
    hanging = InProcess(f"{tasks}.hang", timeout_s=0.5)
    outcome = hanging.run()
    assert (outcome.state, outcome.exit_code) == (RunState.TIMEOUT, 143)
    assert hanging.out == b"up\n"
    pid = hanging.process.pid
    assert pid is not None
    wait_until(lambda: not lives(pid))
