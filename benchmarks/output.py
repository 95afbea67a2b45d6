"""How fast what a run prints is drained, and what it costs: the agent's memory, and Redis's.

A private Redis and one agent; one job at a time prints so many bytes, in lines, and the time is
that from its start to its end as Redis recorded them. Beside it, in the same round, the same
program through a plain pipe: `| cat >/dev/null`, and `| cat >FILE` where the job keeps a file.
`python -m benchmarks output`.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import followers
from benchmarks.fleet import agent, private
from benchmarks.section import Section
from jober import Jober
from jober.output import Frame
from jober.run import Run

MEGABYTES = 500
JOBS: dict[str, dict[str, Any]] = {
    "none": {"output": "none"},
    "memory": {},
    "memory, merged": {"stderr": "merge"},
    "file": {"output": "file"},
    "file, followed": {"output": "file"},
    "memory, a secret": {"env": {"TOKEN": "correct horse battery"}, "secret": ["TOKEN"]},
}


def printer(size: int) -> str:
    line = "a line as programs print them, of about eighty characters, one million times over"
    return f"yes '{line}' | head -c {size}"


def measure(rounds: int, part: float) -> list[Section]:
    size = max(1, round(MEGABYTES * part)) * 1_000_000
    with private() as jober, agent(jober), tempfile.TemporaryDirectory() as folder:
        rows = _rows(jober, size, Path(folder), rounds)
    return [
        Section(
            title="Output",
            how=f"One job prints {size / 1e6:,.0f} MB, in lines; medians of {rounds}. Beside it, "
            "in the same round, the same program through a plain pipe (`| cat`), to a file where "
            "the job keeps one. Where it is followed, somebody reads live all that comes.",
            columns=(
                *("what is kept", "MB/s", "of a plain pipe", "agent CPU", "agent grew"),
                *("log in Redis", "the follower got"),
            ),
            rows=tuple(rows),
        ),
        *followers.measure(rounds, part),
    ]


def _rows(jober: Jober, size: int, folder: Path, rounds: int) -> list[tuple[str, ...]]:
    [agent] = jober.agents()
    jober.add_job("warm", command=printer(1_000_000), shell=True)
    jober.run("warm").wait(30)
    rows: list[tuple[str, ...]] = []
    for number, (title, fields) in enumerate(JOBS.items()):
        name = f"spew{number}"
        jober.add_job(name, command=printer(size), shell=True, **fields)
        followed = title.endswith("followed")
        plain_s, took_s, cpu_s, grown, log, got = [], [], [], [], 0, 0
        for _ in range(rounds):
            to_file = fields.get("output") == "file"
            plain_s.append(plain(size, folder / "plain" if to_file else Path(os.devnull)))
            before, began_s = resident(agent.pid), cpu(agent.pid)
            Path(f"/proc/{agent.pid}/clear_refs").write_text("5")
            handle = jober.run(name)
            if followed:
                got = max(
                    got, sum(len(f.data) for f in handle.output.frames(600) if isinstance(f, Frame))
                )
            run = handle.wait(600)
            took_s.append(run.duration_s or 0)
            cpu_s.append(cpu(agent.pid) - began_s)
            grown.append(peak(agent.pid) - before)
            log = max(log, in_redis(jober, run))
        rows.append(
            (
                title,
                f"{size / 1e6 / median(took_s):,.0f}",
                f"{median(p / t for p, t in zip(plain_s, took_s, strict=True)):.2f}",
                f"{median(cpu_s):.2f} s",
                f"{max(grown) / 1e6:.1f} MB",
                f"{log / 1e6:.2f} MB",
                f"{got / 1e6:.1f} MB" if followed else "",
            )
        )
    return rows


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
