"""What RQ's own tools read, written as RQ writes it (rq 2.12: results.py, job.py).

RQ's default serializer is pickle, so the return value of a job of ours is *written* as a pickle,
for `Job.return_value()` to read with no setting at all; jober itself reads only the JSON beside it
and never unpickles. What the own RQ jobs of applications return is written by `rq_job`.
"""

import pickle
import zlib
from base64 import b64encode
from functools import cache
from typing import Any


@cache
def version() -> str:
    """The release of RQ that is installed, as `rq info` shows it of a worker."""
    from importlib import metadata  # for agents alone: it takes its time to load

    return metadata.version("rq")


def result_payload(value: Any) -> str | None:
    """A return value as it stands in the stream `rq:results:<id>`; None is left out there."""
    return None if value is None else b64encode(pickle.dumps(value, protocol=4)).decode()


def traceback_payload(text: str) -> str:
    """A traceback, or the reason of a failure, as it stands in the stream `rq:results:<id>`."""
    return b64encode(zlib.compress(text.encode())).decode()


# Of what was asked to stop, and had not begun by then.
STOPPED_EARLY = traceback_payload("cancelled before it began")


def worker_fields(
    *, host: str, pid: int, queues: list[str], python: str, birth: str
) -> dict[str, str]:
    """The fields of `rq:worker:<name>` that `rq info` shows."""
    return {
        "hostname": host,
        "pid": str(pid),
        "queues": ",".join(queues),
        "state": "idle",
        "birth": birth,
        "version": version(),
        "python_version": python,
    }
