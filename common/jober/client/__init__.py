"""What users, the command line and pages call: `Jober`, the handle of a run, the record of
a job."""

from jober.client.handle import RunHandle
from jober.client.jober import Jober
from jober.store.jobs import JobRecord
from jober.store.later_job import LaterJob

__all__ = ["JobRecord", "Jober", "LaterJob", "RunHandle"]
