"""To which run a thread of the agent belongs: that of the thread which started it.

Python gives a new thread an empty context, and a thread of a pool the context that it was started
in. `inherit` changes both in one place, for what runs inside of a run, and for nothing else: what
is printed, logged and reported in `threading.Thread`s (and `Timer`s) that a function starts, or in
a `ThreadPoolExecutor`, is its run's. Threads begun by `_thread.start_new_thread`, or by an
extension in C, belong to no run.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import wraps
from typing import Any

from jober.current.here import entered_run

# A pool may outlive the run in which one of its threads was started.
_OF_NO_RUN = Context()


def inherit() -> None:
    """From now on, threads and tasks of pools are of the run that begins them. Once a process."""
    # Without types: mypy does not follow what stands in for a method.
    thread_class: Any = threading.Thread
    pool_class: Any = ThreadPoolExecutor
    start = thread_class.start
    submit = pool_class.submit

    @wraps(start)
    def start_inheriting(thread: threading.Thread) -> None:
        if entered_run() is not None:
            _run_within(thread)
        start(thread)

    @wraps(submit)
    def submit_inheriting(
        pool: ThreadPoolExecutor, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        context = copy_context() if entered_run() is not None else _OF_NO_RUN.copy()
        future: Future[Any] = submit(pool, context.run, function, *args, **kwargs)
        return future

    thread_class.start = start_inheriting
    pool_class.submit = submit_inheriting


def _run_within(thread: threading.Thread) -> None:
    context, run = copy_context(), thread.run

    def run_within() -> None:
        # Taken back at once: `run` of a subclass may be looked at, and nothing shall hold it.
        del thread.run
        context.run(run)

    thread.run = run_within  # type: ignore[method-assign]
