"""Where a run stands in a trace, as W3C Trace Context writes it (https://www.w3.org/TR/trace-context/).

A run that was made within a trace carries the place of its caller. The trace of any other is told
by its id alone, so that a scheduler and an agent agree on it and the record need not have it.
"""

import json
import os
import re
import sys
from dataclasses import dataclass
from hashlib import sha256

VARIABLE = "TRACEPARENT"
# What may follow in a later version of the format is read over.
_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceParent:
    """A span: 32 and 16 hex digits, and whether it is recorded."""

    trace: str
    span: str
    sampled: bool = True

    def __str__(self) -> str:
        return f"00-{self.trace}-{self.span}-{int(self.sampled):02x}"


def read_traceparent(text: object) -> TraceParent | None:
    """None for what is none: then there is no trace, and nothing is wrong."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return TraceParent(trace=found[1], span=found[2], sampled=bool(int(found[3], 16) & _SAMPLED))


def root_of(run: str) -> TraceParent:
    """The first span of the trace of a run that was made within none."""
    digest = sha256(run.encode()).hexdigest()
    return TraceParent(trace=digest[:32], span=digest[32:48])


def span_of(what: str) -> str:
    """The id of a span of our own, such as that of an attempt (`<run>:<attempt>`)."""
    return sha256(f"span {what}".encode()).hexdigest()[:16]


def callers() -> TraceParent | None:
    """The span that the calling code is in: of OpenTelemetry, where the program uses it, else the
    one that the process was started in."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return TraceParent(
                trace=f"{context.trace_id:032x}",
                span=f"{context.span_id:016x}",
                sampled=bool(context.trace_flags & _SAMPLED),
            )
    return read_traceparent(os.environ.get(VARIABLE))


def with_caller(options: str, caller: TraceParent | None) -> str:
    """The options of a run (JSON) that is made within `caller`, and within none that it may have
    from a run before."""
    if caller is None and '"traceparent"' not in options:
        return options
    try:
        told = json.loads(options)
        told.pop("traceparent", None)
    except (ValueError, AttributeError):
        return options  # by hand; its agent says what is wrong with them
    if caller is not None:
        told["traceparent"] = str(caller)
    return json.dumps(told, sort_keys=True)
