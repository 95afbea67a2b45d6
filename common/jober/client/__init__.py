"""What users, the command line and pages call: `Jober`, the handle of a run, the record of
a job."""

from jober.client.handle import RunHandle
from jober.client.jober import Jober
from jober.store.jobs import JobRecord

__all__ = ["JobRecord", "Jober", "RunHandle"]
