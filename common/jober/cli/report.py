"""`jober progress` and `jober log`: what a job that is no Python says to its agent.

They are called over and over, so they import little: no typer, no store.
"""

import os
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from typing import NoReturn

from jober.agent_socket import Connection
from jober.cli.say import say_wrong_call
from jober.clock import SystemClock
from jober.errors import NotInRun
from jober.log_line import LEVELS, LogLine
from jober.progress import checked_step

_PROGRESS = """\
Usage: jober progress [OPTIONS] [DONE] [TOTAL] [MESSAGE]

  Tell how far the run is, that is: the run whose job calls this. It is to be
  seen in 'jober run --follow', 'jober runs' and 'jober show RUN'. What is left
  out stays as it was told before.

Options:
  --message TEXT  What is being done.
  --group A/B     Of this part of the work, or part of a part.
  -h, --help      Show this message and exit.

  Examples:
    jober progress 3 10 "copying"
    jober progress 4
    jober progress 120 4000 --group copy/files
    jober progress --message "almost there"
"""
_LOG = f"""\
Usage: jober log [OPTIONS] MESSAGE

  Put a record into the log of the run whose job calls this; 'jober logs' shows
  it among the output.

Options:
  --level LEVEL  One of {", ".join(level.lower() for level in LEVELS)}.
                 (default: info)
  --logger NAME  (default: the job)
  -h, --help     Show this message and exit.

  Examples:
    jober log "nothing to do"
    jober log "disk is 90 % full" --level warning
    jober log "retrying" --logger sync
"""


class _Parser(ArgumentParser):
    def __init__(self, name: str, help: str) -> None:
        super().__init__(prog=f"jober {name}", allow_abbrev=False)
        self._name = name
        self._help = help

    def format_help(self) -> str:
        return self._help

    def error(self, message: str) -> NoReturn:
        raise SystemExit(say_wrong_call(self._name, message))


def progress(arguments: list[str]) -> int:
    parser = _Parser("progress", _PROGRESS)
    parser.add_argument("done", nargs="?", type=_number)
    parser.add_argument("total", nargs="?", type=_number)
    parser.add_argument("text", nargs="?", metavar="message")
    parser.add_argument("--message")
    parser.add_argument("--group")
    given = parser.parse_args(arguments)
    message = given.text if given.message is None else given.message
    try:
        step = checked_step(given.done, given.total, message, given.group)
    except ValueError as error:
        parser.error(str(error))
    if (step.done, step.total, step.message) == (None, None, None):
        parser.error("say how much is done, of how much, or what")
    _tell({"progress": asdict(step)})
    return 0


def log(arguments: list[str]) -> int:
    parser = _Parser("log", _LOG)
    parser.add_argument("message")
    parser.add_argument("--level", default="info", choices=[level.lower() for level in LEVELS])
    parser.add_argument("--logger")
    given = parser.parse_args(arguments)
    line = LogLine(
        at_ms=SystemClock().now_ms(),
        level=given.level.upper(),
        logger=given.logger or os.environ.get("JOBER_JOB") or "run",
        message=given.message,
    )
    _tell({"log": asdict(line)})
    return 0


def _tell(said: dict[str, object]) -> None:
    """Return when the agent has it. Raises NotInRun, AgentUnreachable."""
    if not os.environ.get("JOBER_RUN_ID"):
        raise NotInRun
    connection = Connection(os.environ.get("JOBER_SOCKET", ""), os.environ.get("JOBER_TOKEN", ""))
    try:
        connection.send(said)
        connection.sync()
    finally:
        connection.close()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a number") from None
    return int(value) if value.is_integer() else value
