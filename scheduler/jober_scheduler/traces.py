"""The spans of a scheduler: for each run that a fire makes, from when it was due until it was in
its queue. It is the first of the run's trace."""

from collections.abc import Iterator, Sequence

from jober.clock import iso
from jober.fire import FirePlan
from jober.traceparent import root_of
from jober.tracing import Span, Spans


class Traces:
    def __init__(self, spans: Spans) -> None:
        self._spans = spans

    def fired(self, plans: Sequence[FirePlan], now_ms: int) -> None:
        """Those were carried out just now."""
        self._spans.put(lambda: self._made(plans, now_ms))

    def _made(self, plans: Sequence[FirePlan], now_ms: int) -> Iterator[Span]:
        for plan in plans:
            for fire in plan.fires:
                for run in fire.runs:
                    facts = {"jober.run": run.id, "jober.job": plan.name}
                    yield Span(
                        name=f"fire {plan.name}",
                        kind="producer",
                        at=root_of(run.id),
                        parent=None,
                        start_ms=fire.at_ms,
                        end_ms=now_ms,
                        facts={**facts, "jober.fire_at": iso(fire.at_ms) or ""},
                    )
