"""The orders of what the leader fires, signed where there is a key.

A fire is signed where the definition is believed by which it was planned, and never one from before
the last that was carried out: Redis may hold another schedule, or another cursor, than it should.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from jober.fire import FirePlan
from jober.signing import Seal
from jober.store import Store
from jober.store.due_job import DueJob
from jober.store.fields import moment_text
from jober.store.signer import Signer

# Of so many jobs it is remembered what was believed, and what they fired last.
KEPT = 100_000
# What is not believed is looked at again after this: being signed changes nothing else of it.
AGAIN_S = 5.0


class Looked(NamedTuple):
    """What was believed of a job: what its plans are made of, whether its runs wait for others, and
    when that was looked at."""

    text: tuple[int, str, str, int]
    seal: Seal | None
    waits: bool
    at_s: float


class Orders:
    def __init__(self, store: Store) -> None:
        signer = store.signer
        self._signer = signer if signer is not None and signer.orders else None
        self._clock = store.clock
        # By name, what a plan was made of, and the seal of it, where it is believed.
        self._seals: dict[str, Looked] = {}
        self._fired: dict[str, int] = {}

    def signed(
        self, plans: list[FirePlan], jobs: Mapping[str, DueJob], token: str
    ) -> list[FirePlan]:
        """The plans, with an order for each run of those that are believed. Raises
        RedisUnavailable."""
        signer = self._signer
        if signer is None:
            return plans
        firing = [plan for plan in plans if any(fire.runs for fire in plan.fires)]
        self._read(signer, [jobs[plan.name] for plan in firing])
        term = token.partition(":")[0]
        made = {plan.name: self._sign(signer, plan, jobs[plan.name], term) for plan in firing}
        return [made.get(plan.name, plan) for plan in plans]

    def fired(self, plans: Sequence[FirePlan], results: Sequence[str]) -> None:
        """What became of them, as FIRE tells it."""
        if self._signer is None:
            return
        if len(self._fired) >= KEPT:
            self._fired.clear()
        for plan, result in zip(plans, results, strict=True):
            at_ms = [fire.at_ms for fire in plan.fires if fire.runs]
            if at_ms and result == "done":
                self._fired[plan.name] = max(at_ms)

    def _read(self, signer: Signer, jobs: Sequence[DueJob]) -> None:
        """Learn what is believed of jobs that are not as they were."""
        now_s = self._clock.monotonic()
        new = [job for job in jobs if not self._is_known(job, now_s)]
        believed = signer.believed(job.name for job in new) if new else {}
        if len(self._seals) + len(new) > KEPT:
            self._seals.clear()
        for job in new:
            seal, fields = believed.get(job.name, (None, {}))
            told = tuple(fields.get(name) for name in ("schedule", "policy", "anchor"))
            planned_so = told == tuple(
                text.encode() for text in (job.schedule, job.policy, str(job.anchor_ms))
            )
            waits = bool(fields.get("waits"))
            self._seals[job.name] = Looked(
                _text_of(job), seal if planned_so else None, waits, now_s
            )

    def _is_known(self, job: DueJob, now_s: float) -> bool:
        known = self._seals.get(job.name)
        if known is None or known.text != _text_of(job):
            return False
        return known.seal is not None or now_s - known.at_s < AGAIN_S

    def _sign(self, signer: Signer, plan: FirePlan, job: DueJob, term: str) -> FirePlan:
        known = self._seals.get(job.name)
        if known is None or known.seal is None:
            return plan
        last_ms = self._fired.get(plan.name, 0)
        orders = tuple(
            (
                run.id,
                signer.order(
                    run.id,
                    plan.name,
                    known.seal,
                    host=(not run.may_move and run.host) or "",
                    fire_at=moment_text(fire.at_ms),
                    term=term,
                    waits=known.waits,
                ),
            )
            for fire in plan.fires
            if fire.at_ms >= last_ms
            for run in fire.runs
        )
        return replace(plan, orders=orders)


def _text_of(job: DueJob) -> tuple[int, str, str, int]:
    return job.revision, job.schedule, job.policy, job.anchor_ms
