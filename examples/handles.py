"""What one knows of a run, and does: `python examples/handles.py`, with no server at hand."""

import tempfile
from pathlib import Path
from typing import Any

from jober import Jober, current_run
from jober.errors import RunExists, RunFailed


def copy(names: list[str]) -> int:
    """Says how far it is, and logs."""
    run = current_run()
    for n, name in enumerate(names, 1):
        run.progress(n, len(names), name)
    run.log.warning("copied %d", len(names))
    return len(names)


def divide(a: int, b: int = 1) -> Any:
    return a / b


with Jober() as jober:
    run = jober.run("seq 9; echo $WORD >&2", shell=True, env={"WORD": "hello"}, id="first")
    run.wait(timeout=60)
    print(run.id, run.state, run.exit_code)
    print(run.output.head(1).split(), run.stdout.tail(2).split(), run.stderr.lines())
    print(run.stdout.bytes()[:4], [line for line in run.stdout.follow()][-1])
    try:
        jober.run(["true"], id="first")
    except RunExists:
        print("a run has that id already")

    run = jober.run(copy, args=(["a", "b"],))
    print("copied:", run.result(timeout=60))
    progress = run.progress
    print("progress:", progress and (progress.whole.done, progress.whole.total))
    print("logged:", [(line.level, line.message) for line in run.logs])

    run = jober.run(divide, args=(1,), kwargs={"b": 0})
    try:
        run.result(timeout=60)
    except RunFailed as error:
        print("failed:", error.reason)
    error = run.exception()
    print("the same:", error is not None and error.reason)
    print("again:", run.rerun(args=[6], kwargs={"b": 2}).result(timeout=60))
    more = jober.run(["echo", "one"]).rerun(args=["two"], append=True)
    print("more:", more.wait(timeout=60).state, more.stdout.lines())

    run = jober.run(["sh", "-c", "exit $((JOBER_ATTEMPT < 3))"], retries=5, retry_delay=0)
    print(run.wait(timeout=60).state, "by attempt", len(run.attempts))

    run = jober.run(["sleep", "600"])
    run.wait(timeout=60, until="running")
    print(run.cancel("enough"), run.wait(timeout=60).reason)

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "x.py").write_text("import os, sys; print(sys.argv[1:])\n")
        run = jober.run("./x.py", args=["a"], kwargs={"dry_run": True}, cwd=folder, timeout=60)
        run.wait(timeout=60)
        print(run.stdout.lines())
    print(jober.run("operator:add", args=(40, 2), process=True).result(timeout=60))
