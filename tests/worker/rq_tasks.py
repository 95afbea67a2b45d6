"""What the RQ jobs of the tests do: an application's module, which workers import by name."""

import ctypes
import logging
import os
import signal
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Retry, get_current_job
from rq.job import Job
from rq.timeouts import JobTimeoutException

from jober import current_run


def add(a: int, b: int) -> int:
    return a + b


def loaded(package: str) -> list[str]:
    """What of it the process has loaded."""
    return [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]


def nothing() -> None:
    return None


def fail() -> None:
    raise ValueError("no good")


def leave() -> None:
    raise SystemExit(3)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once() -> str:
    if tried() == 1:
        die()
    return "alive"


def fail_slowly() -> None:
    time.sleep(0.5)
    fail()


def linger() -> None:
    tried()
    time.sleep(60)


def linger_once() -> None:
    if tried() == 1:
        time.sleep(60)


def tomorrow(day: date) -> date:
    return day + timedelta(days=1)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def sleep_bravely(seconds: float) -> str:
    try:
        time.sleep(seconds)
    except JobTimeoutException:
        return "woken"
    return "slept"


def unspeakable() -> Any:
    return lambda: None


async def later(value: int) -> int:
    return value


def note_pid(path: str) -> int:
    """Note who runs this, in a file."""
    Path(path).write_text(str(os.getpid()))
    return os.getpid()


class Bomb:
    """What runs code where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return note_pid, (self.path,)


class Counter:
    def __init__(self, start: int) -> None:
        self.start = start

    def plus(self, n: int) -> int:
        return self.start + n

    @staticmethod
    def zero() -> int:
        return 0


def current() -> Job:
    job = get_current_job()
    assert job is not None
    return job


def tried() -> int:
    """How often this job was called, this time included."""
    job = current()
    return int(job.connection.incr(f"tried:{job.id}"))


def good_from(nth: int) -> str:
    n = tried()
    if n < nth:
        raise ValueError(f"attempt {n}")
    return f"good at {n}"


def asks_again(max: int, good_at: int, interval: int = 0) -> Any:
    return f"good at {n}" if (n := tried()) >= good_at else Retry(max=max, interval=interval)


def with_meta() -> dict[str, Any]:
    job = current()
    job.meta["progress"] = 50
    job.save_meta()
    is_told = job.id == os.environ["RQ_JOB_ID"] and bool(os.environ["RQ_WORKER_ID"])
    return {"status": job.get_status().value, "seen": job.meta, "is told": is_told}


def mark(job: Job, connection: "Redis", text: str) -> None:
    connection.rpush(f"marks:{job.id}", text)


def on_success(job: Job, connection: "Redis", result: Any) -> None:
    mark(job, connection, f"success {result} {job.ended_at is not None}")


def on_failure(job: Job, connection: "Redis", kind: Any, value: Any, trace: Any) -> None:
    mark(job, connection, f"failure {kind.__name__} {value} {trace is not None}")


def on_stopped(job: Job, connection: "Redis") -> None:
    mark(job, connection, "stopped")


def bad_success(job: Job, connection: "Redis", result: Any) -> None:
    raise KeyError("in the success callback")


def bad_failure(job: Job, connection: "Redis", kind: Any, value: Any, trace: Any) -> None:
    raise KeyError("in the failure callback")


def slow_success(job: Job, connection: "Redis", result: Any) -> None:
    time.sleep(60)


def whereabouts() -> dict[str, Any]:
    """Which job this is, by all that tells it, and where it is performed."""
    names = ("RQ_JOB_ID", "JOBER_RUN_ID", "JOBER_TOKEN")
    told: dict[str, Any] = {name: os.environ[name] for name in names}
    return {**told, "job": current().id, "pid": os.getpid(), "stdout": os.fstat(1).st_ino}


def say(number: int) -> None:
    print(f"print {number}", flush=True)  # noqa: T201
    os.write(1, f"write {number}\n".encode())
    os.system(f"echo child {number}")
    ctypes.CDLL(None).printf(b"libc %d\n", number)


def change() -> None:
    change_quietly()
    sys.stdout.close()


def change_quietly() -> None:
    os.environ["LEFT"] = "1"
    os.environ.pop("HOME", None)
    os.chdir("/")
    os.umask(0o012)
    sys.path.insert(0, "/left")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    logging.getLogger().setLevel(logging.CRITICAL)


def surroundings() -> list[Any]:
    os.umask(mask := os.umask(0))
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)]
    of_job = ("JOBER_RUN_ID", "RQ_JOB_ID", "JOBER_TOKEN", "JOBER_ATTEMPT")
    environ = sorted((name, value) for name, value in os.environ.items() if name not in of_job)
    streams = [sys.stdout.closed, sys.stderr.closed, logging.getLogger().level]
    return [os.getcwd(), mask, sys.path, [str(one)[:20] for one in handlers], environ, streams]


def until(key: str) -> None:
    current().connection.blpop([key], timeout=60)


def tried_until(key: str) -> None:
    tried()
    until(key)


def letters(size: int) -> str:
    return "x" * size


def noise(size: int) -> bytes:
    """What cannot be compressed."""
    return os.urandom(size)


def length(data: bytes) -> int:
    return len(data)


def half_way(number: int) -> None:
    current_run().progress(number, 100)
