"""jober: periodic tasks over a fleet, on time, by role, exactly once a fire, on Redis."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jober.client import Jober, RunHandle
    from jober.client.asynchronous import AsyncJober, AsyncRun
    from jober.current import CurrentRun, Skip, current_run
    from jober.decorator import job
    from jober.workflow import Result

__version__ = "0.1.0"
__all__ = [
    "AsyncJober",
    "AsyncRun",
    "CurrentRun",
    "Jober",
    "Result",
    "RunHandle",
    "Skip",
    "__version__",
    "current_run",
    "job",
]


def __getattr__(name: str) -> Any:
    # Looked up when asked for: a daemon, or `jober --help`, need not load the whole of it.
    if name in ("Jober", "RunHandle"):
        from jober import client

        return getattr(client, name)
    if name in ("AsyncJober", "AsyncRun"):
        from jober.client import asynchronous

        return getattr(asynchronous, name)
    if name in ("CurrentRun", "Skip", "current_run"):
        from jober import current

        return getattr(current, name)
    if name == "job":
        from jober import decorator

        return decorator.job
    if name == "Result":
        from jober import workflow

        return workflow.Result
    raise AttributeError(f"module 'jober' has no attribute '{name}'")
