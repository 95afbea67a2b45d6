"""jober: periodic tasks over a fleet, on time, by role, exactly once a fire, on Redis."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jober.client import Jober, RunHandle

__version__ = "0.1.0"
__all__ = ["Jober", "RunHandle", "__version__"]


def __getattr__(name: str) -> Any:
    # Looked up when asked for: a daemon, or `jober --help`, need not load the whole of it.
    if name in ("Jober", "RunHandle"):
        from jober import client

        return getattr(client, name)
    raise AttributeError(f"module 'jober' has no attribute '{name}'")
