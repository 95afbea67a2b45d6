"""What the runs of one work have in common, read once: what to do, how, and what its ends mean."""

import json
from dataclasses import dataclass
from typing import Any

from jober.end_policy import EndPolicy
from jober.run import Claim, Work
from jober_worker.call import (
    CallUnreadable,
    Function,
    Options,
    Program,
    RqCall,
    RqTerms,
    read_call,
)

# Of so many works the plan is kept.
KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`call` is None where it is read anew for each run: a plain RQ job, arguments that a function
    may change, what cannot be read. `service` is "any" or "every" for runs of a service."""

    policy: EndPolicy
    service: str | None
    call: tuple[Program | Function, Options] | None

    def read(self, claim: Claim, rq: RqTerms) -> tuple[Program | Function | RqCall, Options]:
        """What the run is to do. Raises CallUnreadable."""
        return self.call or read_call(claim, rq)


class Plans:
    def __init__(self, rq: RqTerms) -> None:
        self._rq = rq
        self._plans: dict[Work, Plan] = {}

    def of(self, claim: Claim) -> Plan:
        """The plan of a run."""
        plan = self._plans.get(claim.work)
        if plan is None:
            if len(self._plans) >= KEPT:
                self._plans.clear()
            plan = self._plans[claim.work] = self._make(claim)
        return plan

    def _make(self, claim: Claim) -> Plan:
        return Plan(
            policy=EndPolicy.read(claim.work.options),
            service=_service(claim.work),
            call=self._call(claim),
        )

    def _call(self, claim: Claim) -> tuple[Program | Function, Options] | None:
        if claim.record:
            return None
        try:
            what, options = read_call(claim, self._rq)
        except CallUnreadable:
            return None
        if isinstance(what, RqCall) or isinstance(what, Function) and not _is_fixed(what):
            return None
        return what, options


def _is_fixed(function: Function) -> bool:
    """Whether its arguments are the same after a call, whatever it does."""
    values: list[Any] = [*function.args, *function.kwargs.values()]
    return not any(isinstance(value, list | dict) for value in values)


def _service(work: Work) -> str | None:
    """The `on` of the service that its runs are of."""
    if work.trigger != "service":
        return None
    try:
        return "every" if json.loads(work.options).get("service") == "every" else "any"
    except (ValueError, AttributeError):
        return "any"  # what is wrong with them fails the run
