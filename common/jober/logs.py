"""How the daemons log: one line an event, in UTC, to standard error."""

import logging
import time


def set_up_logs(level: str) -> None:
    """Log to standard error from `level` ("debug", "info", "warning", "error") up."""
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
