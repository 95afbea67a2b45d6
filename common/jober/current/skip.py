"""How a function says that there was nothing to do."""


class Skip(Exception):
    """Raised by a function of a job: the run ends as `skipped`, and this is the reason."""
