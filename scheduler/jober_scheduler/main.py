"""`jober-scheduler`: start the parts, wait for a signal, stop them in order."""

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence

from jober import __version__
from jober.errors import DefinitionError, JoberError, RedisUnavailable
from jober.ids import check_host_name, node_id, own_host_name
from jober.logs import set_up_logs
from jober.store import DEFAULT_URL, Store
from jober_scheduler.elector import Elector
from jober_scheduler.pruner import Pruner
from jober_scheduler.reaper import Reaper
from jober_scheduler.ticker import Ticker

log = logging.getLogger("jober_scheduler")

EXAMPLES = """\
examples:
  jober-scheduler                                        Redis on this host
  jober-scheduler --redis redis://redis.example.org/0
  JOBER_REDIS_URL=redis+sentinel://s1:26379,s2:26379/mymaster/0 jober-scheduler

Start it on two or three hosts: one leads, the others stand by. SIGTERM resigns in order.
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="jober-scheduler",
        description="Decide what is due and put its runs into Redis. One node of several leads.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        default=os.environ.get("JOBER_REDIS_URL", DEFAULT_URL),
        help="redis://, rediss://, unix:// or redis+sentinel://h1:26379,h2:26379/mymaster/0 "
        "(default: JOBER_REDIS_URL, else " + DEFAULT_URL + ")",
    )
    parser.add_argument(
        "--host", metavar="NAME", help="the name of this host (default: what the system says)"
    )
    parser.add_argument(
        "--log-level",
        default="info",
        choices=["debug", "info", "warning", "error"],
        help="(default: info)",
    )
    parser.add_argument("--version", action="version", version=f"jober {__version__}")
    given = parser.parse_args(argv)
    set_up_logs(given.log_level)
    try:
        host = check_host_name(given.host) if given.host else own_host_name(socket.gethostname())
        return run(Store(given.redis), node_id(host, os.getpid()))
    except JoberError as error:
        print(f"jober-scheduler: {error}", file=sys.stderr)  # noqa: T201
        # A setting that is wrong stays wrong: a supervisor need not try again (EX_CONFIG).
        return os.EX_CONFIG if isinstance(error, DefinitionError) else 1


def run(store: Store, node: str) -> int:
    """Serve until SIGTERM or SIGINT. Raises RedisUnavailable where Redis is away at the start."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        store.observe_time()
    except RedisUnavailable:
        store.close()
        raise
    log.info("jober-scheduler %s is node %s", __version__, node)
    elector = Elector(store, node)
    ticker = Ticker(store, elector)
    reaper = Reaper(store)
    pruner = Pruner(store, elector)
    for part in (elector, ticker, reaper, pruner):
        part.start()
    status = 0
    while not stop.wait(1.0):
        if not ticker.alive:
            log.critical("the ticker has died; stopping, so that another node may lead")
            status = 1
            break
    # First no more fires, then no more lead: a standby takes over at once.
    ticker.stop()
    elector.stop()
    pruner.stop()
    reaper.stop()
    ticker.close()
    store.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
