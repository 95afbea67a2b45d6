"""What a process of a run says to its agent, at the agent's socket.

Lines of JSON. The first is `{"token": …}`, the secret of the attempt; then `{"progress": {…}}`,
`{"log": {…}}`, and `{"sync": true}`, which is answered with `{"synced": true}` when all before it
has been taken in. The agent says `{"cancelled": true}` when the run is asked to stop, and
`{"error": "…"}` before it hangs up. The path and the secret are in JOBER_SOCKET and JOBER_TOKEN.
"""

import json
import select
import socket
import time
from typing import Any

from jober.errors import AgentUnreachable

# The agent is waited for so long at the most.
SEND_S = 2.0


class Connection:
    """One connection. Each call raises AgentUnreachable."""

    def __init__(self, path: str, token: str) -> None:
        self.path = path
        self._heard = b""
        if not path or not token:
            raise AgentUnreachable(path, "JOBER_SOCKET and JOBER_TOKEN are not set")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(SEND_S)
            self.socket.connect(path)
            self.send({"token": token})
        except OSError as error:
            self.close()
            raise AgentUnreachable(path, _said(error)) from error
        except AgentUnreachable:
            self.close()
            raise

    def send(self, told: dict[str, Any]) -> None:
        try:
            self.socket.sendall(json.dumps(told).encode() + b"\n")
        except OSError as error:
            # What it said before it hung up tells why.
            self.hear(0.0)
            raise AgentUnreachable(self.path, _said(error)) from error

    def sync(self) -> None:
        """Return when the agent has taken in all that was sent."""
        self.send({"sync": True})
        deadline = time.monotonic() + SEND_S
        while (left_s := deadline - time.monotonic()) > 0:
            if any("synced" in told for told in self.hear(left_s)):
                return
        raise AgentUnreachable(self.path, f"no answer in {SEND_S:g} s")

    def hear(self, wait_s: float) -> list[dict[str, Any]]:
        """What the agent has said, waiting for the first word for at most so long."""
        if not select.select([self.socket], [], [], wait_s)[0]:
            return []
        try:
            data = self.socket.recv(4096)
        except OSError as error:
            raise AgentUnreachable(self.path, _said(error)) from error
        if not data:
            raise AgentUnreachable(self.path, "it has hung up")
        *lines, self._heard = (self._heard + data).split(b"\n")
        told: list[dict[str, Any]] = [json.loads(line) for line in lines]
        for one in told:
            if "error" in one:
                raise AgentUnreachable(self.path, str(one["error"]))
        return told

    def close(self) -> None:
        self.socket.close()


def _said(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
