"""A list of commands, run to the end of all: `python examples/batch.py`, with no server at hand."""

import tempfile
from pathlib import Path

from jober import Jober

JOBS = [
    {"id": "fetch", "command": "[ $JOBER_ATTEMPT = 2 ]", "shell": True, "retry": 3, "delay": 0.1},
    {"id": "check", "command": ["echo", "all is well"], "waiting": ["fetch"], "timeout": 60},
    {"id": "bad", "command": "exit 3", "shell": True},
    {"id": "never", "command": "true", "waiting": ["bad", "check"]},
]

with tempfile.TemporaryDirectory() as logs, Jober() as jober:
    batch = jober.batch(JOBS, logs=logs)
    for row in batch.report():
        print(row["id"], row["state"], row["retried"], row["exit_code"], row["elapsed"] is not None)
    print("log:", Path(logs, "check.log").read_text().strip())
    print(batch.table().splitlines()[0].split())

    slow = {"id": "slow", "command": "sleep 600"}
    batch = jober.batch([slow, JOBS[2]], fail_fast=True)
    print([(row["id"], row["state"]) for row in batch.report()])
