"""The spans of an agent: of each attempt how long it waited and how long it took, told once its
end is reported. Where it runs costs nothing but its place in the trace, for its processes."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from jober.run import GOOD, Claim, Run
from jober.store import Store
from jober.store.report import Finish
from jober.traceparent import TraceParent, read_traceparent, root_of, span_of
from jober.tracing import Span, Spans

# A run that nobody has fired has no span of a scheduler: its first wait is the first of its trace.
FIRED = "schedule"


class Traces:
    """`traceparent` (of the options of a run) is where its caller stands, where it has one."""

    def __init__(self, store: Store, spans: Spans, host: str, agent: str) -> None:
        self._store = store
        self._spans = spans
        self._facts = {"jober.host": host, "jober.agent": agent}

    def place_of(self, claim: Claim, traceparent: str | None) -> str:
        """Where the attempt stands, for its own spans: TRACEPARENT."""
        trace = self._within(claim, traceparent)
        span = span_of(claim.lease)
        return str(TraceParent(trace=trace.trace, span=span, sampled=trace.sampled))

    def reported(self, finishes: Sequence[Finish]) -> None:
        """Those ends were reported."""
        now_ms = self._store.clock.now_ms()
        self._spans.put(lambda: self._made(finishes, now_ms))

    def _within(self, claim: Claim, traceparent: str | None) -> TraceParent:
        """What all attempts of a run are within."""
        return read_traceparent(traceparent) or self._spans.sampled(root_of(claim.id))

    def _made(self, finishes: Sequence[Finish], now_ms: int) -> Iterator[Span]:
        runs = self._store.runs.found({finish.claim.id for finish in finishes})
        for finish in finishes:
            yield from self._spans_of(finish, runs.get(finish.claim.id), now_ms)

    def _spans_of(self, finish: Finish, run: Run | None, now_ms: int) -> Iterator[Span]:
        claim, outcome = finish.claim, finish.outcome
        told = _traceparent_of(claim)
        within = self._within(claim, told)
        facts: dict[str, str | int] = {"jober.run": claim.id, "jober.attempt": claim.attempt}
        job = claim.job or "(none)"
        facts |= {"jober.job": job, **self._facts}
        took_ms = round((finish.took_s or 0.0) * 1000)
        began_ms = finish.began_ms or _begun(claim, run) or now_ms - took_ms
        since_ms = self._since_ms(claim, run)
        if since_ms is not None:
            is_first = told is None and claim.attempt == 1 and claim.work.trigger != FIRED
            own = TraceParent(trace=within.trace, span=span_of(f"wait {claim.lease}"))
            yield Span(
                name=f"wait {job}",
                kind="internal",
                at=within if is_first else own,
                parent=None if is_first else within,
                start_ms=since_ms,
                end_ms=began_ms,
                facts={**facts, "jober.queue": claim.work.queue},
            )
        if outcome.exit_code is not None:
            facts["jober.exit_code"] = outcome.exit_code
        is_good = outcome.state in GOOD
        yield Span(
            name=f"run {job}",
            kind="consumer",
            at=TraceParent(trace=within.trace, span=span_of(claim.lease)),
            parent=within,
            start_ms=began_ms,
            end_ms=began_ms + took_ms,
            facts={**facts, "jober.state": str(outcome.state)},
            problem=None if is_good else outcome.reason or str(outcome.state),
        )

    def _since_ms(self, claim: Claim, run: Run | None) -> int | None:
        """When the wait for an attempt began: when the run was made, or the one before it ended."""
        if run is None:
            return None
        if claim.attempt == 1:
            return run.enqueued_at_ms
        for attempt in self._store.runs.attempts(claim.id):
            if attempt.attempt == claim.attempt - 1:
                return attempt.ended_at_ms
        return None


def _begun(claim: Claim, run: Run | None) -> int | None:
    """When the attempt began, as its record says, unless it tells of another by now."""
    return run.started_at_ms if run and run.attempt == claim.attempt else None


def _traceparent_of(claim: Claim) -> Any:
    try:
        return json.loads(claim.work.options).get("traceparent")
    except (ValueError, AttributeError):
        return None
