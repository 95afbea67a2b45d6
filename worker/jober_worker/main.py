"""`jober-worker`: read the arguments, then guard an agent."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jober import __version__
from jober.daemon import (
    LOG_FORMAT_VARIABLE,
    add_metrics_option,
    daemon_parser,
    heed_test_environment,
)
from jober.errors import DefinitionError, JoberError
from jober_worker.begun import Begun
from jober_worker.config_file import DEFAULT_FILE, ConfigFile, read_config
from jober_worker.guardian import UNUSABLE, be_without, guard
from jober_worker.kernel import MISSING
from jober_worker.options import COMMAND_LINE, OPTIONS, Told, effective

if TYPE_CHECKING:
    from jober_worker.settings import Settings

EXAMPLES = """\
examples:
  jober-worker                                  role "default", 10 slots, Redis on this host
  jober-worker --roles adder                    serves the jobs with roles = ["adder"]
  jober-worker --roles adder,db+primary         has the roles adder, db and primary
  jober-worker --host db1 --slots 4 --redis redis://redis.example.org/0
  jober-worker --check                          the settings as they come out, and from where

SIGTERM drains: no new runs, those that run may end (--drain seconds), then it leaves in order.
A second SIGTERM stops them at once.
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = _parser()
    # What is None after this was not given: an argument's own default does not count.
    unset = argparse.Namespace(**dict.fromkeys(OPTIONS))
    given = parser.parse_args(argv, unset)
    if given.json and not given.check:
        parser.error("--json is for --check: give both, or none")
    try:
        heed_test_environment()
        file = read_config(given.config)
        try:
            told = effective(vars(given), os.environ, file.values, file.path)
        except DefinitionError as error:
            if error.file == COMMAND_LINE and isinstance(error.value, int | float):
                parser.error(f"--{str(error.field).replace('_', '-')}: {error.problem}")
            raise file.place(error) if error.file == file.path else error from None
        if given.check:
            from jober_worker.check import check

            sys.path.insert(0, os.getcwd())
            return check(_settings(told, file), told, as_json=given.json)
    except JoberError as error:
        as_json = given.log_format or os.environ.get(LOG_FORMAT_VARIABLE)
        return _wrong(error, str(as_json))
    begun = Begun()
    if MISSING:
        be_without(lambda sign: _agent(told, file, begun, sign))
    log_format = told["log_format"].value
    return guard(lambda sign: _agent(told, file, begun, sign), log_format)


def _wrong(error: JoberError, log_format: str) -> int:
    from jober.logs import say_why  # here: the guardian is small

    say_why("jober-worker", error, log_format)
    # A setting that is wrong stays wrong: a supervisor need not try again.
    return UNUSABLE


def _settings(told: Mapping[str, Told], file: ConfigFile) -> "Settings":
    # Read in the agent, with all that it takes: the guardian needs none of it, and is small.
    from jober_worker.settings import Settings

    return Settings.of(told, file.allow)


def _parser() -> argparse.ArgumentParser:
    parser = daemon_parser(
        "jober-worker",
        __version__,
        "Take the runs of this host's roles, execute them, and stream what they say.",
        EXAMPLES,
    )
    add_metrics_option(parser)
    add = parser.add_argument
    add(
        "--roles",
        metavar="A,B+C",
        help="what this host is for; * for every role (default: default)",
    )
    add("--slots", type=int, metavar="N", help="runs at a time (default: 10)")
    add(
        "--drain",
        type=float,
        metavar="SECONDS",
        help="how long runs may go on after SIGTERM (default: 60)",
    )
    add(
        "--log-dir",
        metavar="DIR",
        help='where the whole output of jobs with output = "file" is kept (default: logs '
        "in systemd's StateDirectory, else in /var/lib/jober for root, and for others in "
        "~/.local/state/jober)",
    )
    add("--log-keep", type=float, metavar="DAYS", help="for so long (default: 7)")
    add(
        "--log-total",
        type=float,
        metavar="GIB",
        help="and so much of all runs, then the oldest goes (default: 4)",
    )
    add(
        "--journal-dir",
        metavar="DIR",
        help="where results are kept while Redis is away, for the next agent of this host to "
        "report if this one is killed (default: journal beside the default of --log-dir; beside "
        "one that is given, DIR-journal)",
    )
    add(
        "--accept-pickle",
        action="store_const",
        const=True,
        help="run RQ jobs of applications that are pickled, too, which is RQ's default: whoever "
        "may write to Redis may then run any code here (default: only RQ's JSONSerializer)",
    )
    add(
        "--filter",
        metavar="PKG.MOD:FUNC",
        help="a function that is asked about each run before it starts, and refuses it by False; "
        "then it goes to another host (default: none)",
    )
    add(
        "--trust",
        metavar="PATH",
        help="a file or a folder of keys: nothing runs then that none of them has signed "
        "(default: JOBER_TRUST, else whatever is in Redis runs)",
    )
    add(
        "--unsigned-queues",
        metavar="A,B",
        help="with --trust: the queues of which RQ jobs of applications run, which nobody signs "
        "(default: none)",
    )
    add(
        "--secrets",
        metavar="DIR,DIR",
        help="the folders that secret:file:/path may name, beside the credentials of the service "
        "(default: /run/secrets)",
    )
    add(
        "--config",
        metavar="FILE",
        help="a TOML file of these options and of what this host runs at all (default: "
        f"{DEFAULT_FILE}, if there is one)",
    )
    add("--check", action="store_true", help="print the settings as they come out, and end")
    add("--json", action="store_true", help="with --check: as JSON")
    return parser


def _agent(told: Mapping[str, Told], file: ConfigFile, begun: Begun, sign: int | None) -> int:
    try:
        settings = _settings(told, file)
        from jober_worker.serve import serve

        return serve(settings, begun, sign)
    except DefinitionError as error:
        return _wrong(error, told["log_format"].value)


if __name__ == "__main__":
    sys.exit(main())
