"""To be imported before redis. Where OpenTelemetry is installed, redis-py loads its metrics for
itself, asked for or not, which doubles the time that a command takes to start. Our own programs
have no use for them; a program that uses jober may.
"""

import sys
from importlib import import_module

_METRICS = "opentelemetry.sdk.metrics"
_PROGRAMS = ("jober", "jober-scheduler", "jober-worker", "jober-web")


def is_own(program: str) -> bool:
    """Whether that is one of ours, as `sys.argv` has it: a command, or `python -m jober.cli`."""
    name = program.rpartition("/")[2]
    return name in _PROGRAMS or program.endswith("/jober/cli/__main__.py")


def load_redis() -> None:
    """Load redis-py, without them where the program is ours."""
    if not is_own(sys.argv[0] if sys.argv else "") or _METRICS in sys.modules:
        return
    sys.modules[_METRICS] = None  # type: ignore[assignment]  # who imports it finds none
    try:
        import_module("redis")
    finally:
        del sys.modules[_METRICS]


load_redis()
