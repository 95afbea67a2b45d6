"""A traceback as text, with the local variables of its frames where they are asked for."""

import traceback
from collections.abc import Mapping
from reprlib import Repr
from types import TracebackType
from typing import Any

# Of each variable so much is shown, and of each frame so many.
VALUE_AT_MOST = 200
VARIABLES_AT_MOST = 30
# A chain of causes is followed so far.
CAUSES_AT_MOST = 20


def traceback_text(
    error: BaseException, trace: TracebackType | None, with_locals: bool = False
) -> str:
    """The traceback of an error from the frame `trace` on. Raises what its __str__ raises."""
    told = traceback.TracebackException(type(error), error, trace)
    if with_locals:
        _add_locals(told, error, trace, CAUSES_AT_MOST)
    return "".join(told.format())


def _add_locals(
    told: traceback.TracebackException,
    error: BaseException,
    trace: TracebackType | None,
    causes: int,
) -> None:
    for summary in told.stack:
        if trace is None:
            break
        # The standard library would take the repr of everything, at any length.
        summary.locals = _shown(trace.tb_frame.f_locals)
        trace = trace.tb_next
    if causes:
        if told.__cause__ and (cause := error.__cause__):
            _add_locals(told.__cause__, cause, cause.__traceback__, causes - 1)
        if told.__context__ and (context := error.__context__):
            _add_locals(told.__context__, context, context.__traceback__, causes - 1)


def _shown(variables: Mapping[str, Any]) -> dict[str, str]:
    shown = {}
    for name, value in list(variables.items())[:VARIABLES_AT_MOST]:
        if not name.startswith("__"):
            shown[name] = _text(value)
    return shown


def _text(value: Any) -> str:
    bounded = Repr()
    bounded.maxstring = bounded.maxother = bounded.maxlong = VALUE_AT_MOST
    try:
        text = bounded.repr(value)
    except Exception as error:
        return f"<a {type(value).__name__}, whose repr raises {type(error).__name__}>"
    return " ".join(text.split())[:VALUE_AT_MOST]
