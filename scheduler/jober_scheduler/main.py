"""`jober-scheduler`: start the parts, wait for a signal, stop them in order."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence

from jober import __version__
from jober.daemon import daemon_parser, heed_test_environment, host_name
from jober.errors import JoberError, RedisUnavailable
from jober.ids import node_id
from jober.logs import set_up_logs
from jober.store import Store
from jober_scheduler.elector import Elector
from jober_scheduler.follower import Follower
from jober_scheduler.keeper import Keeper
from jober_scheduler.notifier import Notifier
from jober_scheduler.promoter import Promoter
from jober_scheduler.pruner import Pruner
from jober_scheduler.reaper import Reaper
from jober_scheduler.ticker import Ticker

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
    given = parser.parse_args(argv)
    set_up_logs(given.log_level)
    try:
        heed_test_environment()
        node = node_id(host_name(given.host), os.getpid())
        return run(Store(given.redis), node)
    except JoberError as error:
        print(f"jober-scheduler: {error}", file=sys.stderr)  # noqa: T201
        # A setting that is wrong stays wrong: a supervisor need not try again.
        return os.EX_CONFIG


def run(store: Store, node: str) -> int:
    """Serve until SIGTERM or SIGINT; where Redis is away at the start, wait for it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not _is_there(store):
        if stop.wait(AWAY_S):
            return 0
    log.info("jober-scheduler %s is node %s", __version__, node)
    elector = Elector(store, node)
    ticker = Ticker(store, elector)
    keeper = Keeper(store, elector)
    notifier = Notifier(store, elector, os.environ)
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
    store.close()
    return status


def _is_there(store: Store) -> bool:
    try:
        store.observe_time()
    except RedisUnavailable as error:
        log.warning("waiting for Redis: %s", error)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
