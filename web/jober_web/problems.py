"""What is wrong with a request, as the API tells it (RFC 9457) and pages show it."""

from collections.abc import Mapping, Sequence
from typing import Any

from jober.access.errors import (
    NotAllowed,
    TokenNotFound,
    TooManyTries,
    UserExists,
    UserNotFound,
    WrongLogin,
)
from jober.errors import (
    AgentUnreachable,
    ArchiveError,
    CalendarInUse,
    CalendarNotFound,
    DefinitionError,
    JoberError,
    JobExistError,
    JobInUse,
    JobNotFound,
    JobProtected,
    JobRevised,
    JobRunning,
    KeyUsed,
    LimitInUse,
    LimitNotFound,
    LinkedJobNotFound,
    LinkToService,
    RedisUnavailable,
    RunExists,
    RunNotFound,
    WaitTimeout,
    WorkflowLoop,
)
from jober.job.problems import each_of

# What a client that is told to come again waits for, in seconds.
RETRY_AFTER_S = 2
# The first that an error is one of counts.
_STATUS: Sequence[tuple[type[JoberError], int]] = (
    (RedisUnavailable, 503),
    (ArchiveError, 503),
    (AgentUnreachable, 503),
    (WaitTimeout, 504),
    (JobNotFound, 404),
    (RunNotFound, 404),
    (UserNotFound, 404),
    (TokenNotFound, 404),
    (WrongLogin, 401),
    (NotAllowed, 403),
    (TooManyTries, 429),
    (UserExists, 409),
    (CalendarNotFound, 404),
    (JobRevised, 412),
    (KeyUsed, 422),
    (CalendarInUse, 409),
    (JobExistError, 409),
    (JobProtected, 409),
    (JobRunning, 409),
    (JobInUse, 409),
    (LimitInUse, 409),
    (RunExists, 409),
    (LinkedJobNotFound, 422),
    (LinkToService, 422),
    (WorkflowLoop, 422),
    (DefinitionError, 422),
)
_TITLES = {
    400: "The request is wrong",
    401: "Who asks is not known",
    403: "Who asks may not do it",
    404: "It is not there",
    405: "There is no such method here",
    409: "It stands against what there is",
    412: "It has been changed meanwhile",
    413: "It is too large",
    415: "It is of a kind that is not read here",
    416: "There are no such bytes",
    421: "It is not known by this name",
    422: "A value is wrong",
    428: "Say which revision is meant",
    429: "That was too often",
    500: "A bug of jober",
    502: "Another server says what cannot be believed",
    503: "What is needed does not answer",
    504: "It did not happen in time",
}
# What is told of a value at the most.
_TOLD_AT_MOST = 200

FieldError = dict[str, str]


def title_of(status: int) -> str:
    """What a status says in a line."""
    return _TITLES.get(status, "It did not work")


class Problem(Exception):
    """Why a request is not served: `status`, what is wrong in words, and of which fields."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    @property
    def title(self) -> str:
        return title_of(self.status)

    def to_dict(self) -> dict[str, Any]:
        """As `application/problem+json`."""
        told: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            told["errors"] = list(self.errors)
        return told


def problem_of(error: JoberError) -> Problem:
    """How an error of jober is told: the one mapping, for the API and for pages."""
    if isinstance(error, LimitNotFound):
        # Where a job names it, the job is wrong; else it was itself asked for.
        if error.job is None:
            return Problem(404, str(error))
        return Problem(422, str(error), [{"field": "limits", "message": str(error)}])
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if isinstance(error, TooManyTries):
        headers = {"Retry-After": str(error.retry_after_s)}
    return Problem(status, str(error), _errors_of(error), headers=headers)


def _errors_of(error: JoberError) -> list[FieldError]:
    """What is wrong with which field; of several things each."""
    if not isinstance(error, DefinitionError):
        return []
    return [
        {"field": one.field, "message": f"{one.problem} ({one.mend})" if one.mend else one.problem}
        for one in each_of([error])
        if one.field
    ]


def problem_of_input(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """How what FastAPI found wrong with a request is told."""
    told = [
        {"field": _place(error["loc"]), "message": str(error["msg"])[:_TOLD_AT_MOST]}
        for error in errors
    ]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in told)
    return Problem(422, detail, told)


def _place(loc: Sequence[object]) -> str:
    """Where it stands: without the word for the part of the request, where more is told."""
    words = [str(part) for part in (loc[1:] or loc)]
    return ".".join(words)[:_TOLD_AT_MOST]
