"""The errors of keys and signatures: of the tree of `jober.errors`."""

from jober.errors import JoberError


class SigningError(JoberError):
    """A key, or what was to be signed or believed by one, is not as it has to be."""


class NotSigned(SigningError):
    """The definition of `job` is not believed here, so nothing is signed that is made of it."""

    def __init__(self, job: str, problem: str) -> None:
        self.job = job
        super().__init__(
            f"job '{job}': its definition is not signed by a key that is trusted here: {problem} "
            f"(apply it anew, or look at it and sign it: jober key sign {job})"
        )


class RunNotSigned(SigningError):
    """What is known of the run `id` is not signed, so nothing is signed that is made of it."""

    def __init__(self, id: str, problem: str) -> None:
        self.id = id
        super().__init__(f"run '{id}': {problem} (say anew what is to be run: jober run)")
