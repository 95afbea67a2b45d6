"""Somebody who is told: a web server of the test, which notes what it gets."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """`answer` says the status for a request, by default 200, and 404 for what ends with /gone."""

    def __init__(self, answer: Callable[[Got], int] | None = None) -> None:
        self.got: list[Got] = []
        self._answer = answer or (lambda got: 404 if got.path.endswith("/gone") else 200)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                got = Got(
                    path=self.path, headers=dict(self.headers.items()), body=self.rfile.read(length)
                )
                receiver.got.append(got)
                self.send_response(receiver._answer(got))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
