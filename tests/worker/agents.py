"""For tests of a whole agent: runs on a fleet, and the processes below it."""

import os
import subprocess
import sys
from typing import Any

from jober.client import RunHandle
from jober.run import Run
from jober_worker.kernel import all_processes
from jober_worker.processes import below
from tests.fleet import ROOT, Fleet
from tests.waiting import wait_until

ROLE = "web"


def start(fleet: Fleet, name: str, **fields: Any) -> RunHandle:
    """Define a job for the agents of these tests, and run it."""
    fleet.jober.add_job(name, roles=[ROLE], **fields)
    return fleet.jober.run(name)


def ended(fleet: Fleet, name: str, within: float = 15.0, **fields: Any) -> Run:
    """Define a job, run it, and wait for its end."""
    return start(fleet, name, **fields).wait(within)


def output(fleet: Fleet, run: str) -> str:
    """What a run has written so far."""
    return b"".join(frame.data for frame in fleet.jober.store.outputs.read(run)).decode()


def numbers(fleet: Fleet, handle: RunHandle, n: int = 1) -> list[int]:
    """The first `n` numbers that a run writes, one a line: the pids of its processes."""

    def found() -> list[int]:
        lines = output(fleet, handle.id).split("\n")[:-1]
        return [int(line) for line in lines[:n]] if len(lines) >= n else []

    return wait_until(found, told=f"{n} pids")


def agent_of(guardian: "subprocess.Popen[bytes]") -> int:
    """The pid of the agent that a guardian has forked."""

    def found() -> int | None:
        mine = [p.pid for p in all_processes().values() if p.parent == guardian.pid]
        return mine[0] if len(mine) == 1 else None

    return wait_until(found, told="the agent's process")


def zombies_below(pid: int) -> list[int]:
    processes = all_processes()
    return [child for child in below([pid], processes) if processes[child].has_ended]


def patched_agent(
    fleet: Fleet, patch: str, drain: float = 5, host: str = "web1"
) -> "subprocess.Popen[bytes]":
    """Start an agent in which some statements are executed first."""
    code = f"import sys\n{patch}\nfrom jober_worker.main import main\nsys.exit(main())"
    log = fleet.folder / f"patched-{len(fleet.processes)}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", code, "--host", host, "--roles", ROLE),
                *("--drain", str(drain), "--log-dir", str(fleet.folder / "logs")),
            ],
            env={**os.environ, "JOBER_REDIS_URL": fleet.url},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    fleet.processes.append(process)
    return process


def joined(fleet: Fleet) -> str:
    """The id of the one live agent, as soon as there is one."""
    return wait_until(lambda: [agent.id for agent in fleet.jober.agents()], 20, "an agent")[0]


def lease_of(fleet: Fleet, run: str) -> tuple[bytes, float]:
    """The member of the leases that stands for a run, and when it is over (ms)."""

    def found() -> list[tuple[bytes, float]]:
        leases = fleet.jober.store.connection.command("ZRANGE", "jober:leases", 0, -1)
        mine = [member for member in leases if member.startswith(f"{run}:".encode())]
        score = fleet.jober.store.connection.command
        return [(member, float(score("ZSCORE", "jober:leases", member))) for member in mine]

    return wait_until(found, told=f"a lease of {run}")[0]
