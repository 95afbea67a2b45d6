"""A job that tells of its failures, and the program that is told: `python examples/notify.py`.

The message is signed. The secret is known where the scheduler runs, here in its environment, and
to the receiver; it does not stand in the definition.
"""

import hashlib
import hmac
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from jober import Jober

SECRET = os.environ.setdefault("HOOK_SECRET", "between us")
told = threading.Semaphore(0)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        is_genuine = hmac.compare_digest(expected, self.headers["X-Jober-Signature-256"])
        message = json.loads(body)
        print(message["about"], "of", message["job"], "- genuine:", is_genuine)
        self.send_response(204)
        self.end_headers()
        told.release()

    def log_message(self, *_: object) -> None: ...


server = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()

with Jober() as jober:
    jober.add_job(
        "exit",
        name="nightly",
        shell=True,
        notify=[
            {
                "on": ["failure", "recovery"],
                "webhook": f"http://127.0.0.1:{server.server_port}/",
                "secret": "env:HOOK_SECRET",
            }
        ],
    )
    for statuses in ((3, 3), (0,)):  # two failures in a row are told once
        for status in statuses:
            jober.run("nightly", args=[status]).wait(timeout=60)
        told.acquire(timeout=60)
