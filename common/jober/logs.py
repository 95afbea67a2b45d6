"""How the daemons log: one line an event, in UTC, to standard error; text for people, or JSON for
what collects logs. docs/logs.md tells the names of the fields."""

import logging
import sys
import threading
import time
from types import TracebackType

TEXT = "text"
JSON = "json"

_TIME = "%Y-%m-%dT%H:%M:%S"


def set_up_logs(level: str, format: str = TEXT) -> None:
    """Log to standard error from `level` ("debug", "info", "warning", "error") up. As JSON, what
    would write there by itself is a line too: warnings of Python, and what nobody has caught."""
    handler = logging.StreamHandler()
    if format == JSON:
        # Loaded where it is wanted: most daemons log text.
        from jober.json_log import JsonLog

        handler.setFormatter(JsonLog())
        logging.captureWarnings(True)
        sys.excepthook = _tell_uncaught
        threading.excepthook = _tell_uncaught_of_thread
    else:
        formatter = logging.Formatter(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", _TIME
        )
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def name_node(host: str, node: str) -> None:
    """Whose logs these are: from now on each line of JSON says so."""
    for handler in logging.getLogger().handlers:
        fields = getattr(handler.formatter, "static_fields", None)
        if fields is not None:
            fields.update(host=host, node=node)


def about_run(run: str, job: str | None = None, attempt: int | None = None) -> dict[str, object]:
    """What a line that is about a run has as fields (`extra`)."""
    fields = {"run": run, "job": job, "attempt": attempt}
    return {name: value for name, value in fields.items() if value is not None}


def say_why(program: str, error: Exception, format: str) -> None:
    """Say on standard error why the program does not start."""
    if format == JSON:
        set_up_logs("info", format)
        logging.getLogger(program).critical("%s", error)
    else:
        print(f"{program}: {error}", file=sys.stderr)  # noqa: T201


def _tell_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    logging.getLogger("jober").critical("nobody has caught this", exc_info=(kind, error, trace))


def _tell_uncaught_of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and args.exc_type is not SystemExit:
        _tell_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
