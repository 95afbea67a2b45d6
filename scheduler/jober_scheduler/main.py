"""`jober-scheduler`: start the parts, wait for a signal, stop them in order."""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from jober import __version__
from jober.bind import METRICS_EXAMPLE, Bind, read_bind
from jober.daemon import (
    add_metrics_option,
    add_signing_options,
    daemon_parser,
    heed_test_environment,
    host_name,
)
from jober.errors import DefinitionError, JoberError, RedisUnavailable
from jober.ids import node_id
from jober.logs import name_node, say_why, set_up_logs
from jober.secret import DEFAULT_FOLDERS, check_folders
from jober.secret_file import Secrets
from jober.signing import read_signing
from jober.store import Store
from jober.tracing import Source, open_spans
from jober_scheduler.elector import Elector
from jober_scheduler.follower import Follower
from jober_scheduler.keeper import Keeper
from jober_scheduler.notifier import Notifier
from jober_scheduler.promoter import Promoter
from jober_scheduler.pruner import Pruner
from jober_scheduler.reaper import Reaper
from jober_scheduler.ticker import Ticker
from jober_scheduler.traces import Traces

log = logging.getLogger("jober_scheduler")

# How often to look for a Redis that is away.
AWAY_S = 1.0

EXAMPLES = """\
examples:
  jober-scheduler                                        Redis on this host
  jober-scheduler --redis redis://redis.example.org/0
  JOBER_REDIS_URL=redis+sentinel://s1:26379,s2:26379/mymaster/0 jober-scheduler

Start it on two or three hosts: one leads, the others stand by. SIGTERM resigns in order.
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = daemon_parser(
        "jober-scheduler",
        __version__,
        "Decide what is due and put its runs into Redis. One node of several leads.",
        EXAMPLES,
    )
    add_metrics_option(parser)
    add_signing_options(parser)
    parser.add_argument(
        "--secrets",
        metavar="DIR,DIR",
        type=_folders,
        default=DEFAULT_FOLDERS,
        help="the folders that the files are in which `notify` of a job may name, beside the "
        "credentials of the service (default: /run/secrets)",
    )
    given = parser.parse_args(argv)
    set_up_logs(given.log_level, given.log_format)
    try:
        heed_test_environment()
        host = host_name(given.host)
        node = node_id(host, os.getpid())
        name_node(host, node)
        bind = given.metrics and read_bind(given.metrics, METRICS_EXAMPLE)
        secrets = Secrets(program="jober-scheduler", folders=given.secrets, environ=os.environ)
        store = Store(given.redis, read_signing(given.sign_key, given.trust))
        return run(store, node, secrets, bind)
    except JoberError as error:
        say_why("jober-scheduler", error, given.log_format)
        # A setting that is wrong stays wrong: a supervisor need not try again.
        return os.EX_CONFIG


def _folders(text: str) -> tuple[str, ...]:
    try:
        return check_folders([part.strip() for part in text.split(",") if part.strip()])
    except DefinitionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(store: Store, node: str, secrets: Secrets, metrics: Bind | None = None) -> int:
    """Serve until SIGTERM or SIGINT; where Redis is away at the start, wait for it. Raises
    JoberError where metrics cannot be told."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    elector = Elector(store, node)
    ticker = Ticker(store, elector)
    if metrics is not None:
        _tell_metrics(store, elector, ticker, metrics)
    source = Source(
        program="jober-scheduler", version=__version__, host=node.split(":")[0], node=node
    )
    spans = open_spans(source, os.environ)
    if spans is not None:
        ticker.on_fired.append(Traces(spans).fired)
    if not _has_come(store, stop):
        return 0
    log.info("jober-scheduler %s is node %s", __version__, node)
    keeper = Keeper(store, elector)
    notifier = Notifier(store, elector, secrets)
    chores = [
        Follower(store).chore,
        Pruner(store, elector).chore,
        Promoter(store).chore,
        Reaper(store).chore,
    ]
    elector.start()
    ticker.start()
    for chore in (keeper.chore, notifier.chore, *chores):
        chore.start()
    status = 0
    while not stop.wait(1.0):
        if not ticker.alive:
            log.critical("the ticker has died; stopping, so that another node may lead")
            status = 1
            break
    # First no more fires, then no more lead: a standby takes over at once.
    ticker.stop()
    keeper.chore.stop()
    notifier.chore.stop()
    elector.stop()
    for chore in chores:
        chore.stop()
    ticker.close()
    if spans is not None:
        spans.close()
    store.close()
    return status


def _tell_metrics(store: Store, elector: Elector, ticker: Ticker, bind: Bind) -> None:
    """Raises JoberError."""
    try:
        from jober.metrics import serve_metrics
        from jober_scheduler.meters import Meters

        meters = Meters(store, elector)
    except ImportError as error:
        raise JoberError(f"no metrics: {error} (pip install 'jober[metrics]')") from None
    ticker.on_fired.append(meters.fired)

    def is_well() -> str:
        return "" if ticker.alive else "the ticker does not run"

    def is_ready() -> str:
        try:
            store.observe_time()
        except RedisUnavailable as error:
            return str(error)
        return is_well()

    serve_metrics(bind, meters.registry, is_well, is_ready)


def _has_come(store: Store, stop: threading.Event) -> bool:
    """Wait for Redis; False where that is to end first. Raises NewerSchema."""
    told = ""
    while True:
        try:
            store.observe_time()
            store.check_schema()
        except RedisUnavailable as error:
            if told != (told := str(error)):
                log.warning("waiting for Redis: %s", told)
        else:
            return True
        if stop.wait(AWAY_S):
            return False


if __name__ == "__main__":
    sys.exit(main())
