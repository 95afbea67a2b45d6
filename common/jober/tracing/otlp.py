"""Spans, sent by OpenTelemetry's own SDK, which reads its own variables."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

from jober.traceparent import TraceParent
from jober.tracing.wanted import Source, Span

log = logging.getLogger(__name__)

# So many calls of `put` may wait; each is a batch of fires, or of ended attempts.
WAITING_AT_MOST = 1000
CLOSE_S = 3.0
_KINDS = {
    "producer": SpanKind.PRODUCER,
    "internal": SpanKind.INTERNAL,
    "consumer": SpanKind.CONSUMER,
}


class OtlpSpans:
    def __init__(self, source: Source, environ: Mapping[str, str]) -> None:
        facts = {
            "host.name": source.host,
            "service.instance.id": source.node,
            "service.version": source.version,
        }
        named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        )
        if not named:
            facts["service.name"] = source.program
        self._ids = _GivenIds()
        self._provider = TracerProvider(
            resource=Resource.create(facts), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("jober", source.version)
        self._waiting: deque[Callable[[], Iterable[Span]]] = deque()
        self._dropped = 0
        self._ready = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def put(self, made: Callable[[], Iterable[Span]]) -> None:
        with self._ready:
            if len(self._waiting) >= WAITING_AT_MOST:
                self._dropped += 1
                return
            self._waiting.append(made)
            self._ready.notify()

    def sampled(self, root: TraceParent) -> TraceParent:
        told = self._provider.sampler.should_sample(None, int(root.trace, 16), "")
        sampled = told.decision is Decision.RECORD_AND_SAMPLE
        return TraceParent(trace=root.trace, span=root.span, sampled=sampled)

    def close(self) -> None:
        with self._ready:
            self._is_closing = True
            self._ready.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._waiting and not self._is_closing:
                    self._ready.wait()
                if not self._waiting:
                    break
                made, dropped, self._dropped = self._waiting.popleft(), self._dropped, 0
            if dropped:
                log.warning("the spans of %d batches are dropped: there are too many", dropped)
            try:
                for span in made():
                    self._emit(span)
            except Exception as error:
                log.warning("some spans cannot be told: %s: %s", type(error).__name__, error)
        self._provider.shutdown()

    def _emit(self, span: Span) -> None:
        self._ids.trace, self._ids.span = int(span.at.trace, 16), int(span.at.span, 16)
        context = Context()
        if span.parent is not None:
            context = trace.set_span_in_context(NonRecordingSpan(_context(span.parent)), context)
        made = self._tracer.start_span(
            span.name,
            context=context,
            kind=_KINDS[span.kind],
            attributes=dict(span.facts),
            start_time=span.start_ms * 1_000_000,
        )
        if span.problem is not None:
            made.set_status(Status(StatusCode.ERROR, span.problem))
        made.end(max(span.start_ms, span.end_ms) * 1_000_000)


class _GivenIds(IdGenerator):
    """The ids are ours: who has not seen a span made knows what it is called. One thread asks."""

    trace = span = 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


def _context(parent: TraceParent) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    return SpanContext(
        int(parent.trace, 16), int(parent.span, 16), is_remote=True, trace_flags=flags
    )
