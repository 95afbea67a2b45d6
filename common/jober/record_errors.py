"""The errors of records in Redis that no jober has written so: of the tree of `jober.errors`."""

from jober.errors import JoberError


class LeaderUnreadable(JoberError):
    """What is in `key` was written by no scheduler."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"no scheduler has written what is in {key} (DEL {key}, and one of them leads again)"
        )


class JobUnreadable(JoberError):
    """What Redis keeps of the job `name` is not as any jober writes it."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        super().__init__(
            f"job '{name}': what Redis keeps of it cannot be read: {problem} (jober remove {name}, "
            "and define it again)"
        )
