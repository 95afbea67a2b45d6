"""Log records of functions, told apart by the thread that emits them: to their run's log, and
there alone. What the agent itself logs goes on as before."""

import logging

from jober.current.here import current_run, entered_run
from jober.errors import NotInRun
from jober.log_line import of_record
from jober.logs import about_run
from jober.run import Claim

# What a run's loggers pass on where they are not told otherwise.
LEVEL = logging.INFO


def capture_records() -> None:
    """From now on, records emitted within a run are its own. Once in a process, after its own
    logging has been set up; for a process with many runs."""
    root = logging.getLogger()
    for handler in root.handlers:
        # The level was the root's; below, the root lets all pass that a run is to see.
        handler.setLevel(max(handler.level, root.level))
        handler.addFilter(_is_of_no_run)
    root.setLevel(min(root.level, LEVEL))
    root.addHandler(_ToRun())


def capture_records_of_process() -> None:
    """The same for a process that serves one run at a time: all of its records are the run's.
    To be called for each of them, since the one before may have taken it back."""
    root = logging.getLogger()
    if root.level != LEVEL:
        root.setLevel(LEVEL)
    if _of_process not in root.handlers:
        root.addHandler(_of_process)


def about(claim: Claim) -> dict[str, object]:
    """What a line of the agent's own log that is about an attempt has as fields."""
    return about_run(claim.id, claim.job, claim.attempt)


def _is_of_no_run(record: logging.LogRecord) -> bool:
    run = entered_run()
    return run is None or run.is_over


class _ToRun(logging.Handler):
    _formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        run = entered_run()
        if run is not None:
            run.put(of_record(record, self._formatter))


class _ToRunOfProcess(logging.Handler):
    _formatter = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if current_run().put(of_record(record, self._formatter)):
                return
        except NotInRun:
            pass
        if logging.lastResort is not None:
            logging.lastResort.handle(record)


_of_process = _ToRunOfProcess()
