"""The HTTP server of metrics: three pages, read only, in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from jober.bind import Bind

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger(__name__)

# A request that is not read within so long is given up.
_PATIENCE_S = 10.0


def serve_metrics(
    bind: Bind,
    registry: "CollectorRegistry",
    is_well: Callable[[], str],
    is_ready: Callable[[], str],
) -> None:
    """Listen, and answer as long as the process lives. `is_well` and `is_ready` say what is wrong,
    and nothing where all is well. Raises JoberError where it cannot listen."""
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        disable_created_metrics,
        generate_latest,
    )

    # When each time series began: twice as many of them, for a question that nobody asks.
    disable_created_metrics()  # type: ignore[no-untyped-call]

    checks = {"/healthz": is_well, "/readyz": is_ready}

    class Pages(BaseHTTPRequestHandler):
        timeout = _PATIENCE_S
        server_version = "jober"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, generate_latest(registry), CONTENT_TYPE_LATEST)
            elif check := checks.get(path):
                problem = check()
                self._tell(503 if problem else 200, problem or "ok")
            else:
                self._tell(404, "there are /metrics, /healthz and /readyz")

        do_HEAD = do_GET

        def _tell(self, status: int, text: str) -> None:
            self._answer(status, f"{text}\n".encode(), "text/plain; charset=utf-8")

        def _answer(self, status: int, body: bytes, type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            log.debug("%s: %s", self.address_string(), format % args)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            log.debug("a request from %s was broken off", client_address, exc_info=True)

    server = Server((bind.host, bind.port), Pages, bind_and_activate=False)
    server.socket.close()
    server.socket = bind.listen("metrics")
    port = server.socket.getsockname()[1]
    log.info("metrics at http://%s/metrics", Bind(bind.host, port))
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
