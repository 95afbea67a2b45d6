"""That a host does not run a run."""

from jober.errors import JoberError


class Refused(JoberError):
    """The host does not run it. `here`: another one may."""

    def __init__(self, reason: str, *, here: bool) -> None:
        self.here = here
        super().__init__(reason)
