"""`jober-web`: listen, serve until a signal, end what is open."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from jober import __version__
from jober.bind import METRICS_EXAMPLE, Bind, read_bind
from jober.client import Jober
from jober.daemon import (
    add_metrics_option,
    add_signing_options,
    daemon_parser,
    heed_test_environment,
)
from jober.errors import JoberError, RedisUnavailable
from jober.ids import node_id
from jober.logs import name_node, say_why, set_up_logs
from jober_web.access.arguments import Transport, add_arguments, read_access
from jober_web.settings import DEFAULT_BIND, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from jober_web.server import Server

log = logging.getLogger("jober_web")

# What is sent has to be taken within so long: who follows and is gone is often not told of.
_TAKEN_WITHIN_MS = 60_000

EXAMPLES = """\
examples:
  jober-web                                   http://127.0.0.1:8900/, Redis on this host
  jober-web --bind 127.0.0.1:8080 --redis redis://redis.example.org/0
  jober-web --bind 0.0.0.0:8900 --tls-cert web.crt --tls-key web.key
  jober-web --behind-proxy 127.0.0.1 --public-url https://example.org/jober --root-path /jober

Within an application of your own: app.include_router(jober_web.router, prefix="/jober")
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = daemon_parser(
        "jober-web",
        __version__,
        "Serve the pages and the HTTP API: see the fleet, follow a run, stop it.",
        EXAMPLES,
    )
    parser.add_argument(
        "--bind",
        metavar="HOST:PORT",
        default=DEFAULT_BIND,
        help=f"where to listen; port 0 takes one that is free (default: {DEFAULT_BIND})",
    )
    parser.add_argument(
        "--root-path",
        metavar="PATH",
        default="",
        help="the path that a proxy in front takes away (default: none)",
    )
    add_signing_options(parser)
    add_arguments(parser)
    add_metrics_option(parser)
    given = parser.parse_args(argv)
    set_up_logs(given.log_level, given.log_format)
    try:
        heed_test_environment()
        host = given.host or os.uname().nodename
        name_node(host, node_id(host, os.getpid()))
        bind = read_bind(given.bind, DEFAULT_BIND)
        access, transport = read_access(given, bind)
        settings = Settings(root_path=given.root_path.rstrip("/"), access=access)
        metrics = read_bind(given.metrics, METRICS_EXAMPLE) if given.metrics else None
        jober = Jober(given.redis, sign_key=given.sign_key, trust=given.trust)
        return serve(jober, bind, settings, transport, metrics)
    except JoberError as error:
        say_why("jober-web", error, given.log_format)
        # A setting that is wrong stays wrong: a supervisor need not try again.
        return os.EX_CONFIG


def serve(
    jober: Jober,
    bind: Bind,
    settings: Settings,
    transport: Transport,
    metrics: Bind | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT. Raises JoberError where it cannot listen, or tell metrics, or
    where what is there is of a later jober."""
    try:
        from jober_web.app import create_app
        from jober_web.server import Server
    except ImportError as error:
        raise JoberError(f"{error} (pip install 'jober[web]')") from None
    with jober, listen(bind) as listening:
        with suppress(RedisUnavailable):  # it is looked at again with the first request
            jober.store.check_schema()
        bound = Bind(bind.host, listening.getsockname()[1])
        scheme = "https" if transport.cert else "http"
        log.info("jober-web %s serves %s://%s/", __version__, scheme, bound)
        app = create_app(jober, settings)
        server = Server(app, transport)
        if metrics is not None:
            _tell_metrics(app, jober, server, metrics)
        for number in (signal.SIGTERM, signal.SIGINT):
            # uvicorn has its own while it serves, and then raises again what it was told by.
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        server.run([listening])
    return 0


def _tell_metrics(app: "FastAPI", jober: Jober, server: "Server", bind: Bind) -> None:
    """Raises JoberError."""
    try:
        from jober.metrics import serve_metrics
        from jober_web.meters import Meters

        meters = Meters(app, jober)
    except ImportError as error:
        raise JoberError(f"no metrics: {error} (pip install 'jober[metrics]')") from None

    def is_ready() -> str:
        try:
            jober.store.observe_time()
        except RedisUnavailable as error:
            return str(error)
        return server.problem()

    serve_metrics(bind, meters.registry, server.problem, is_ready)


def listen(bind: Bind) -> socket.socket:
    """A socket that listens there. Raises JoberError."""
    listening = bind.listen("bind")
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Its connections have it too: the kernel ends one whose other end takes nothing.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TAKEN_WITHIN_MS)
    return listening


if __name__ == "__main__":
    sys.exit(main())
