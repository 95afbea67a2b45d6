"""All jobs of a program as one dict: `python examples/dict_form.py`, with no server at hand.

`job_a` fires at each full hour in Shanghai, `often` each second. What fired last is dumped into a
file, and taken up again: a fire that was missed while the program was away is made up for.
"""

import json
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jober import Jober
from jober.errors import JobExistError, NextFireTimeError

status_file = Path(tempfile.mkdtemp()) / "status.json"
enough = threading.Event()
sums: list[int] = []


def add_number(a: int, b: int, c: int = 0) -> int:
    """Only this program has it: it is called in a thread of the program."""
    sums.append(a + b + c)
    if len(sums) == 2:
        enough.set()
    return a + b + c


def is_for_adders(name: str, conf: Mapping[str, Any]) -> bool:
    return "adder" in conf["roles"]


def dump_status(status: Mapping[str, str]) -> None:
    status_file.write_text(json.dumps(status))


def reload_status() -> Any:
    return json.loads(status_file.read_text()) if status_file.exists() else None


JOBS: dict[str, dict[str, Any]] = {
    "job_a": {
        "func": add_number,
        "args": [1, 2],
        "kwargs": {"c": 3},
        "every": [1, "hour"],
        "at": {"minute": 0, "second": 0},
        "timezone": "Asia/Shanghai",
        "concurrence_n": 2,
        "roles": ["adder"],
    },
    "often": {"func": add_number, "args": [1, 2], "every": [1, "second"], "roles": ["adder"]},
    "not_here": {"func": "true", "every": 1, "roles": ["db"]},
}

jobs = Jober.from_jobs(
    JOBS, filter_job=is_for_adders, dump_status=dump_status, reload_status=reload_status
)
print("jobs:", [record.name for record in jobs.jobs()])
try:
    jobs.add_job("often", {"func": "true"})
except JobExistError as error:
    print(error.name, "is there already")
try:
    jobs.add_job("never", {"func": "true", "every": [1, "fortnight"]})
except NextFireTimeError as error:
    print(error.job, "has no next fire")
jobs.add_job("by_hand", {"func": "true", "roles": ["adder"]})
jobs.delete_job("by_hand")


def end() -> None:
    """A program that goes on for ever has no need of it: `schedule` ends by Ctrl-C."""
    enough.wait(60)
    jobs.close()


threading.Thread(target=end).start()
jobs.schedule()
print("often made", set(sums))
print("dumped:", sorted(json.loads(status_file.read_text())))
