"""How soon the web part answers where there are 100,000 jobs, and a log of 200 MB that its host
keeps: the first byte of what pages and the API ask for, each asked many times on one connection."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles

import httpx

from benchmarks.fleet import agent, daemon, private
from benchmarks.section import Section
from benchmarks.table import define
from jober import Jober
from jober.access import Actor, Scope
from jober.client.people import People

JOBS = 100_000
LOG_BYTES = 200_000_000
TIMES = 40
PRINT = "import sys\nfor n in range({}): sys.stdout.write(f'{{n:>9}} ' + 'x' * 89 + chr(10))"


def measure(rounds: int, part: float) -> list[Section]:
    jobs, lines = max(200, round(JOBS * part)), max(2_000, round(LOG_BYTES * part) // 100)
    with private() as jober:
        define(jober.store, jobs)
        jober.add_job("prints", command=[sys.executable, "-c", PRINT.format(lines)], output="file")
        with agent(jober):
            run = jober.run("prints")
            run.wait(600)
            with served(jober) as client:
                rows = tuple(
                    _row(client, what, path.format(run=run.id), max(3, TIMES * rounds // 3))
                    for what, path in _ASKED.items()
                )
    return [
        Section(
            title="First byte of the web part",
            how=f"{jobs:,} jobs and a log of {lines * 100 / 1e6:,.0f} MB in a file of its host; "
            "ms from the request to the first byte of the answer, on one connection.",
            columns=("asked for", "p50", "p90", "max"),
            rows=rows,
        )
    ]


_ASKED = {
    "jobs, first page": "/api/v1/jobs",
    "jobs, 200 of them": "/api/v1/jobs?limit=200",
    "jobs by a part of the name": "/api/v1/jobs?q=99",
    "jobs by a name that none has": "/api/v1/jobs?q=nothing-of-that-name",
    "jobs by tag": "/api/v1/jobs?tag=none",
    "runs": "/api/v1/runs",
    "one job": "/api/v1/jobs/prints",
    "the end of the log": "/api/v1/runs/{run}/output?start=-65536&limit=65536",
    "the middle of the log": "/api/v1/runs/{run}/output?start=100000000&limit=65536",
    "the last lines of the log": "/api/v1/runs/{run}/output/tail",
    "the whole log": "/api/v1/runs/{run}/output/download",
    "the page Now": "/",
    "the page Jobs": "/jobs",
    "the page Timeline, by host": "/timeline?by=host",
    "the page of the run": "/runs/{run}",
}


@contextmanager
def served(jober: Jober) -> Iterator[httpx.Client]:
    """A client of the web part, which is a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    actor = Actor(name="benchmark", via="cli")
    token = People(jober).make_token("benchmark", Scope.ADMIN, actor)[1]
    headers = {"Authorization": f"Bearer {token}"}
    with (
        daemon(jober.url, "jober-web", "--bind", place),
        httpx.Client(base_url=f"http://{place}", headers=headers, timeout=60) as client,
    ):
        while not _is_there(client):
            time.sleep(0.1)
        yield client


def _is_there(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/leader").is_success
    except httpx.ConnectError:
        return False


def _row(client: httpx.Client, what: str, path: str, times: int) -> tuple[str, ...]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        with client.stream("GET", path) as answer:
            next(answer.iter_raw(), b"")
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise SystemExit(f"{path} answers {answer.status_code}")
    cuts = quantiles(taken, n=10)
    return (what, *(f"{figure:.1f}" for figure in (cuts[4], cuts[8], max(taken))))
