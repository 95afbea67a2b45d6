"""A Redis 7 for the tests that take one: TLS, users who may only read some keys."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

UNPACKED = Path(__file__).parents[1] / ".venv" / "redis7"


@dataclass(frozen=True, slots=True)
class Program:
    path: str
    environ: dict[str, str]


def redis_seven() -> Program:
    """The program, which `make servers` unpacks; a failure where CI is set and it is missing."""
    unpacked = UNPACKED / "usr" / "bin" / "redis-server"
    if unpacked.exists():
        libraries = ":".join(str(path) for path in (UNPACKED / "usr" / "lib").glob("*-linux-gnu"))
        return Program(str(unpacked), {**os.environ, "LD_LIBRARY_PATH": libraries})
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Program(found, dict(os.environ))
    if os.environ.get("CI"):
        pytest.fail("there is no Redis 7: `make servers`")
    pytest.skip("there is no Redis 7: `make servers`")


@contextmanager
def server(folder: Path, *arguments: str) -> Iterator[Path]:
    """A server with these arguments; its socket."""
    program, path = redis_seven(), folder / "redis.sock"
    process = subprocess.Popen(
        [program.path, "--save", "", "--unixsocket", str(path), *arguments],
        env=program.environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 30
        while not _answers(path):
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield path
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def administrator(path: Path, password: str) -> "redis.Redis":
    return redis.Redis(unix_socket_path=str(path), password=password)
