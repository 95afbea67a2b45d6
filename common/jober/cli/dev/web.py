"""The web part of `jober dev`: where it listens, and a link that logs one in."""

import os
import socket
from importlib.util import find_spec

from jober.access import Actor, Scope
from jober.cli.commands import daemons
from jober.client import Jober
from jober.client.log_in import LogIn

# That of `jober-web`; where somebody has it, one that is free.
_HOST, _PORT = "127.0.0.1", 8900
# Who one is there.
_NAME = "dev"
_LINK_LIVES_S = 600


def is_installed() -> bool:
    """Whether the web part is there, with its extra."""
    return "web" in daemons() and all(map(find_spec, ("fastapi", "jinja2", "uvicorn")))


def free_place() -> str:
    """Where it may listen, of this host only."""
    for port in (_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return f"{_HOST}:{probe.getsockname()[1]}"
    return f"{_HOST}:0"


def link(jober: Jober, place: str) -> str:
    """An address that logs one in there, once."""
    actor = Actor(name=_NAME, via="cli", address=os.uname().nodename)
    secret = LogIn(jober).make_link(_NAME, Scope.ADMIN, actor, _LINK_LIVES_S)
    return f"http://{place}/link/{secret}"
