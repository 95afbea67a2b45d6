"""What users, the command line and pages call: `Jober`, and the handle of a run."""

from jober.client.handle import RunHandle
from jober.client.jober import Jober

__all__ = ["Jober", "RunHandle"]
