"""Whether anybody wants traces, and what a span is; OpenTelemetry is loaded only where one does."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from jober.traceparent import TraceParent

log = logging.getLogger(__name__)

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What happened between two moments (ms). `at` is the span itself, `parent` the one that it is
    within; `problem` is why it ended badly."""

    name: str
    kind: Literal["producer", "internal", "consumer"]
    at: TraceParent
    parent: TraceParent | None
    start_ms: int
    end_ms: int
    facts: Mapping[str, str | int] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The process that tells spans."""

    program: str
    version: str
    host: str
    node: str


class Spans(Protocol):
    """Where spans go."""

    def put(self, made: Callable[[], Iterable[Span]]) -> None:
        """Have those spans sent, some time soon. Costs nothing here: they are made in a thread of
        its own; where that is too far behind they are dropped."""

    def sampled(self, root: TraceParent) -> TraceParent:
        """The first span of a trace, and whether it is recorded, as the sampler says."""

    def close(self) -> None:
        """Send what is left, for at most a few seconds."""


def open_spans(source: Source, environ: Mapping[str, str]) -> Spans | None:
    """Where the environment wants spans to go (the variables `OTEL_…`); None where nowhere."""
    if (
        not any(environ.get(name) for name in _ENDPOINTS)
        or environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
        or environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    ):
        return None
    try:
        from jober.tracing.otlp import OtlpSpans
    except ImportError as error:
        log.warning("no traces: %s (pip install 'jober[otel]')", error)
        return None
    return OtlpSpans(source, environ)
