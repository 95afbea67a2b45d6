"""A function in a process of its own: a program of ours that answers with the outcome."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, Any

from jober.run import Outcome, RunState
from jober_worker.call import Function, Options
from jober_worker.functions import Writer
from jober_worker.process import ProgramRun


class FunctionRun(ProgramRun):
    """It is stopped, timed and read as every program; see `child` for the other side."""

    def __init__(
        self,
        run: str,
        function: Function,
        options: Options,
        variables: Mapping[str, str],
        write: Writer,
    ) -> None:
        super().__init__(run, (), options, variables, write)
        self._function = function

    def run(self) -> Outcome:
        function = self._function
        asked = {
            "name": function.name,
            "file": function.file,
            "args": function.args,
            "kwargs": function.kwargs,
            "path": os.getcwd(),
        }
        with tempfile.TemporaryFile("w+") as request, tempfile.TemporaryFile("w+") as answer:
            json.dump(asked, request)
            request.seek(0)
            self._pass_fds = (request.fileno(), answer.fileno())
            self._argv = (sys.executable, "-m", "jober_worker.child", *map(str, self._pass_fds))
            ended = super().run()
            if self.pid is None or ended.state in (RunState.CANCELLED, RunState.TIMEOUT):
                return ended
            return _read_answer(answer) or _unanswered(ended)


def _read_answer(answer: IO[str]) -> Outcome | None:
    """The outcome that the child wrote; None where it did not come to that."""
    # The child has the same open file, so it has moved our place in it too.
    answer.seek(0)
    try:
        told: dict[str, Any] = json.load(answer)
        return Outcome(**{**told, "state": RunState(told["state"])})
    except (ValueError, TypeError, KeyError):
        return None


def _unanswered(ended: Outcome) -> Outcome:
    how = ended.reason or f"exit code {ended.exit_code}"
    return replace(
        ended,
        state=RunState.FAILED,
        # An exit with 0 before the answer is no success, and nobody shall read it as one.
        exit_code=ended.exit_code or 1,
        reason=f"its process ended before the function returned: {how}",
    )
