"""How fast what a run prints is drained, and what it costs: the agent's memory, and Redis's.

A private Redis and one agent; one job at a time prints so many bytes, in lines, and the time is
that from its start to its end as Redis recorded them. Beside it, in the same round, the same
program through a plain pipe: `| cat >/dev/null`, and `| cat >FILE` where the job keeps a file.
`python -m benchmarks.output [MEGABYTES]`.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from jober import Jober
from jober.embedded import RedisServer
from jober.run import Run

BIN = Path(sys.executable).parent
ROUNDS = 3
JOBS: dict[str, dict[str, Any]] = {
    "none": {"output": "none"},
    "memory": {},
    "memory, merged": {"stderr": "merge"},
    "file": {"output": "file"},
    "memory, a secret": {"env": {"TOKEN": "correct horse battery"}, "secret": ["TOKEN"]},
}


def printer(size: int) -> str:
    line = "a line as programs print them, of about eighty characters, one million times over"
    return f"yes '{line}' | head -c {size}"


def main(megabytes: int) -> None:
    size = megabytes * 1_000_000
    with RedisServer() as server, tempfile.TemporaryDirectory() as folder:
        agent = subprocess.Popen(
            [
                *(str(BIN / "jober-worker"), "--host", "bench", "--roles", "bench"),
                *("--log-dir", folder, "--log-level", "warning"),
            ],
            env={**os.environ, "JOBER_REDIS_URL": server.url},
        )
        with Jober(server.url) as jober:
            try:
                while not jober.agents():
                    time.sleep(0.01)
                measure(jober, size, Path(folder))
            finally:
                agent.send_signal(signal.SIGTERM)
                agent.wait(30)


def measure(jober: Jober, size: int, folder: Path) -> None:
    [agent] = jober.agents()
    jober.add_job("warm", command=printer(1_000_000), shell=True, roles=["bench"])
    jober.run("warm").wait(30)
    table = Table(title=f"{size / 1e6:,.0f} MB printed; median of {ROUNDS}")
    for title in (
        "what is kept",
        "MB/s",
        "of a plain pipe",
        "agent CPU",
        "agent grew",
        "log in Redis",
    ):
        table.add_column(title, justify="left" if title == "what is kept" else "right")
    for number, (title, fields) in enumerate(JOBS.items()):
        name = f"spew{number}"
        jober.add_job(name, command=printer(size), shell=True, roles=["bench"], **fields)
        plain_s, took_s, cpu_s, grown, log = [], [], [], [], 0
        for _ in range(ROUNDS):
            plain_s.append(plain(size, folder / "plain" if title == "file" else Path(os.devnull)))
            before, began_s = resident(agent.pid), cpu(agent.pid)
            Path(f"/proc/{agent.pid}/clear_refs").write_text("5")
            run = jober.run(name).wait(600)
            took_s.append(run.duration_s or 0)
            cpu_s.append(cpu(agent.pid) - began_s)
            grown.append(peak(agent.pid) - before)
            log = max(log, in_redis(jober, run))
        table.add_row(
            title,
            f"{size / 1e6 / median(took_s):,.0f}",
            f"{median(p / t for p, t in zip(plain_s, took_s, strict=True)):.2f}",
            f"{median(cpu_s):.2f} s",
            f"{max(grown) / 1e6:.1f} MB",
            f"{log / 1e6:.2f} MB",
        )
    Console().print(table)


def plain(size: int, to: Path) -> float:
    began = time.perf_counter()
    subprocess.run(f"{printer(size)} | cat >{to}", shell=True, check=True)
    took_s = time.perf_counter() - began
    if to.is_file():
        to.unlink()
    return took_s


def in_redis(jober: Jober, run: Run) -> int:
    told = jober.store.connection.command("MEMORY", "USAGE", f"jober:out:{run.id}:log")
    return int(told or 0)


def resident(pid: int) -> int:
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """The most it had since the last reset."""
    return _status(pid, "VmHWM")


def cpu(pid: int) -> float:
    """The seconds that it has worked, in itself and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
