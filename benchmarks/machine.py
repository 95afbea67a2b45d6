"""What the figures were measured on, and with which versions."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from benchmarks.peers import bullmq
from jober import __version__
from jober.embedded import RedisServer
from jober.store import Store

# Those that are measured or measured beside.
PACKAGES = (
    *("redis", "hiredis", "rq", "celery", "dramatiq", "huey", "taskiq", "taskiq-redis", "saq"),
    *("APScheduler", "croniter", "cronsim"),
)


def machine() -> list[tuple[str, str]]:
    """What there is, and which."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", f"{os.cpu_count()} cores, {_processor()}"),
        ("memory", f"{memory:.0f} GiB"),
        ("kernel", f"{platform.system()} {platform.release()}"),
        ("Redis", f"{_redis()}, no persistence, a Unix socket"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("jober", __version__),
        ("packages", versions),
        ("Node", _node()),
    ]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _redis() -> str:
    with RedisServer() as server:
        store = Store(server.url)
        try:
            return str(store.connection.client.info("server")["redis_version"])
        finally:
            store.close()


def _node() -> str:
    if not bullmq.is_there():
        return "none, so BullMQ was not measured"
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    package = json.loads((bullmq.FOLDER / "node_modules/bullmq/package.json").read_text())
    return f"{node.stdout.strip()}, BullMQ {package['version']}"
