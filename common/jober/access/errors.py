"""The errors of users, tokens and log-ins: of the tree of `jober.errors`."""

from collections.abc import Iterable

from jober.errors import JoberError, did_you_mean


class UserNotFound(JoberError):
    """No user has the name `name`."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        super().__init__(f"no user is named '{name}'{did_you_mean(name, known)}")


class UserExists(JoberError):
    """There is a user `name` already."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"there is a user '{name}' already (jober user passwd, jober user scope, or remove it)"
        )


class TokenNotFound(JoberError):
    """There is no token `id`, or none any more."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"there is no token '{id}' (see 'jober token list')")


class NotAllowed(JoberError):
    """Who asks may not do this."""


class WrongLogin(JoberError):
    """The name or the password is wrong; which of them is not told."""

    def __init__(self) -> None:
        super().__init__("the name or the password is wrong")


class TooManyTries(JoberError):
    """Too many log-ins have failed; there may be another in `retry_after_s` seconds."""

    def __init__(self, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        minutes = -(-retry_after_s // 60)
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(f"too many log-ins have failed; try again in {minutes} {unit}")
