"""Traces by OpenTelemetry, sent as OTLP over HTTP: where the extra `otel` is installed and the
environment names an endpoint. Where not, none of this is loaded.

What is traced is for each daemon to say (`jober_scheduler.traces`, `jober_worker.traces`).
"""

from jober.tracing.wanted import Source, Span, Spans, open_spans

__all__ = ["Source", "Span", "Spans", "open_spans"]
