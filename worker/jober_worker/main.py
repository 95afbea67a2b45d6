"""`jober-worker`: read the arguments, then guard an agent."""

import os
import sys
from collections.abc import Sequence

from jober import __version__
from jober.daemon import daemon_parser, host_name
from jober.errors import DefinitionError, JoberError
from jober.roles import parse_agent_roles
from jober_worker.guardian import UNUSABLE, guard
from jober_worker.settings import Settings, log_dir

EXAMPLES = """\
examples:
  jober-worker                                  role "default", 10 slots, Redis on this host
  jober-worker --roles adder                    serves the jobs with roles = ["adder"]
  jober-worker --roles adder,db+primary         has the roles adder, db and primary
  jober-worker --host db1 --slots 4 --redis redis://redis.example.org/0

SIGTERM drains: no new runs, those that run may end (--drain seconds), then it leaves in order.
A second SIGTERM stops them at once.
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = daemon_parser(
        "jober-worker",
        __version__,
        "Take the runs of this host's roles, execute them, and stream what they say.",
        EXAMPLES,
    )
    parser.add_argument(
        "--roles", metavar="A,B+C", default="", help="what this host is for (default: default)"
    )
    parser.add_argument(
        "--slots", type=int, default=10, metavar="N", help="runs at a time (default: 10)"
    )
    parser.add_argument(
        "--drain",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long runs may go on after SIGTERM (default: 60)",
    )
    parser.add_argument(
        "--log-dir",
        metavar="DIR",
        help='where the whole output of jobs with output = "file" is kept (default: logs '
        "in systemd's StateDirectory, else in /var/lib/jober for root, and for others in "
        "~/.local/state/jober)",
    )
    parser.add_argument(
        "--log-keep", type=float, default=7.0, metavar="DAYS", help="for so long (default: 7)"
    )
    parser.add_argument(
        "--log-total",
        type=float,
        default=4.0,
        metavar="GIB",
        help="and so much of all runs, then the oldest goes (default: 4)",
    )
    parser.add_argument(
        "--accept-pickle",
        action="store_true",
        help="run RQ jobs of applications that are pickled, too, which is RQ's default: whoever "
        "may write to Redis may then run any code here (default: only RQ's JSONSerializer)",
    )
    given = parser.parse_args(argv)
    if not 1 <= given.slots <= 1000:
        parser.error(f"--slots: {given.slots} is not in 1-1000")
    for option, value in (("--log-keep", given.log_keep), ("--log-total", given.log_total)):
        if not 0 <= value < 1e6:
            parser.error(f"{option}: {value:g} is not in 0-1000000")
    if given.drain < 0:
        parser.error(f"--drain: {given.drain} is negative")
    try:
        settings = Settings(
            redis=given.redis,
            host=host_name(given.host),
            roles=parse_agent_roles(given.roles),
            slots=given.slots,
            drain_s=given.drain,
            log_level=given.log_level,
            log_dir=log_dir(given.log_dir),
            log_keep_s=given.log_keep * 86_400,
            log_bytes=int(given.log_total * 1024**3),
            accept_pickle=given.accept_pickle,
        )
    except JoberError as error:
        print(f"jober-worker: {error}", file=sys.stderr)  # noqa: T201
        # A setting that is wrong stays wrong: a supervisor need not try again.
        return os.EX_CONFIG
    return guard(lambda sign: _agent(settings, sign))


def _agent(settings: Settings, sign: int) -> int:
    from jober_worker.serve import serve

    try:
        return serve(settings, sign)
    except DefinitionError as error:
        print(f"jober-worker: {error}", file=sys.stderr)  # noqa: T201
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
