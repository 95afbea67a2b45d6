"""The class of all routes that a guard stands before.

Who asks is found out before anything that they sent is read, and no more is read than there may be.
What a request that changes something came to is noted in the audit log. A route without a guard
cannot be made.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from jober.access.audit import Outcome
from jober_web.access.cookies import cookie, is_encrypted
from jober_web.access.csrf import SAFE_METHODS, csrf_token
from jober_web.access.guard import demands_of, is_public, note
from jober_web.access.headers import secure

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

# In bytes: of who is known, and of who is not.
_BODY_AT_MOST, _FORM_AT_MOST = 8 * 1024 * 1024, 16 * 1024


class GuardedRoute(APIRoute):
    """`response_of` says how the route tells what went wrong."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        demands = demands_of(self.dependant)
        at_most = _FORM_AT_MOST if is_public(self.endpoint) else _BODY_AT_MOST
        if not demands and not is_public(self.endpoint):
            raise TypeError(f"{self.path} takes no Viewer, Operator or Admin, and is not public")

        async def guarded(request: Request) -> Response:
            request = Request(request.scope, _bounded(request, at_most))
            try:
                for demand in demands:
                    await demand(request)
                request.state.csrf_token = csrf_token(cookie(request, "session"))
                if _told_length(request) > at_most:
                    raise _too_large(at_most)
                response = await handle(request)
                reason = ""
            except Exception as error:
                response = self.response_of(request, error)
                reason = str(error)
            if request.method not in SAFE_METHODS and not notes_itself(self.endpoint):
                await note(
                    request,
                    self.name,
                    "/".join(str(value) for value in request.path_params.values()),
                    _outcome(response.status_code),
                    reason,
                )
            secure(response.headers, is_encrypted(request))
            return response

        return guarded

    def response_of(self, request: Request, error: Exception) -> Response:
        raise error


def noted(endpoint: Any) -> Any:
    """A route whose work is noted in the step that does it, and not once more."""
    endpoint.jober_notes_itself = True
    return endpoint


def notes_itself(endpoint: Any) -> bool:
    return getattr(endpoint, "jober_notes_itself", False)


def _outcome(status: int) -> Outcome:
    if status < 400:
        return Outcome.DONE
    return Outcome.REFUSED if status in (401, 403, 429) else Outcome.FAILED


def _told_length(request: Request) -> int:
    told = request.headers.get("Content-Length", "0")
    return int(told[:20]) if told.isdecimal() else 0


def _bounded(request: Request, at_most: int) -> Receive:
    """What the request sends, up to so many bytes. Raises HTTPException 413."""
    receive, read = request.receive, 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > at_most:
            raise _too_large(at_most)
        return message

    return bounded


def _too_large(at_most: int) -> HTTPException:
    # FastAPI hides any other error behind one of its own.
    return HTTPException(413, f"it has more than {at_most} bytes")
