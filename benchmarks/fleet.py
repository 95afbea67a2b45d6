"""Daemons of jober on a private Redis, for as long as a measurement lasts."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jober import Jober
from jober.embedded import RedisServer

BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).parent.parent


@contextmanager
def daemon(url: str, program: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon, until the end of the block."""
    process = subprocess.Popen(
        [str(BIN / program), *arguments, "--log-level", "warning"],
        env={**os.environ, "JOBER_REDIS_URL": url},
        cwd=REPOSITORY,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def scheduler(jober: Jober) -> Iterator["subprocess.Popen[bytes]"]:
    """A scheduler that leads."""
    with daemon(jober.store.url, "jober-scheduler") as process:
        while jober.leader() is None:
            time.sleep(0.01)
        yield process


@contextmanager
def agent(jober: Jober, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent that is live; what it keeps on disk goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        kept = ("--log-dir", f"{folder}/logs", "--journal-dir", f"{folder}/journal")
        with daemon(jober.store.url, "jober-worker", "--host", "bench", *kept, *arguments) as it:
            while not jober.agents():
                time.sleep(0.01)
            yield it


@contextmanager
def private() -> Iterator[Jober]:
    """jober on a Redis of its own."""
    with RedisServer() as server, Jober(server.url) as jober:
        jober.store.observe_time()
        yield jober
