"""Whether a run that waits for others may go on. Pure: a moment and what is known are arguments.

The runs that it waits for are settled on once: of each job the newest when the run is first looked
at, and all fires of that job up to its own have been decided on. A run that comes later is
another one's; so nothing waits for ever for a job that fires more often than it ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from jober.clock import iso
from jober.run import FINAL, RunState
from jober.workflow.links import Waits, quorum_of

# How soon a run is looked at again where nothing tells that it may go on; ends do tell.
SOON_MS = 200
LATER_MS = 5_000
IN_CASE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRun:
    """A run that is waited for. `state` is None where it is not known any more; `blocked_by` the
    run for whose sake it was skipped."""

    id: str
    state: RunState | None
    host: str | None = None
    reason: str | None = None
    blocked_by: str | None = None

    @property
    def is_over(self) -> bool:
        return self.state is None or self.state in FINAL

    @property
    def is_good(self) -> bool:
        """It succeeded, or there was nothing to do."""
        return self.state is RunState.SUCCESS or (
            self.state is RunState.SKIPPED and self.blocked_by is None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A job that is waited for, and its `runs`: those settled on before (`is_settled`), else the
    newest, one on each of its hosts. `undecided`: a fire of it, up to that of the waiting run, is
    still to be decided on; `has_no_host`: its fires wait for a host."""

    job: str
    is_there: bool = True
    on_several: bool = False
    is_settled: bool = False
    undecided: bool = False
    has_no_host: bool = False
    runs: tuple[UpstreamRun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSuccess:
    """The newest success of a job."""

    run: str
    ended_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRun:
    """A run that waits: what for, and what was settled on (`seen`, as it stands in Redis)."""

    id: str
    job: str
    waits: Waits
    seen: str = ""
    last_success: LastSuccess | None = None
    upstreams: tuple[Upstream, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a waiting run: it still waits (for what `told` says, until `again_in_ms` at
    the latest), is ready, or is skipped. `settled` are the runs that it waits for, by job."""

    what: Literal["wait", "ready", "skip"]
    settled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told: str = ""
    again_in_ms: int = 0
    blocked_by: str | None = None
    fresh: str | None = None  # the run whose success is fresh


def decide(run: WaitingRun, now_ms: int) -> Verdict:
    """What becomes of it now."""
    fresh_for_ms, last = run.waits.fresh_for_ms, run.last_success
    if fresh_for_ms and last and now_ms - last.ended_at_ms < fresh_for_ms:
        told = f"fresh: {last.run} succeeded at {iso(last.ended_at_ms)}"
        return Verdict(what="skip", told=told, fresh=last.run, settled=_settled(run.upstreams))
    settled = _settled(run.upstreams)
    waits: list[tuple[int, str]] = []
    for upstream in run.upstreams:
        if upstream.job in run.waits.needs:
            found = _needed(upstream, run.waits.quorum)
        else:
            found = _waited_for(upstream)
        if isinstance(found, Verdict):
            return Verdict(
                what="skip", told=found.told, blocked_by=found.blocked_by, settled=settled
            )
        if found is not None:
            waits.append(found)
    if not waits:
        return Verdict(what="ready", settled=settled)
    return Verdict(
        what="wait",
        settled=settled,
        told="; ".join(told for _, told in waits),
        again_in_ms=min(again for again, _ in waits),
    )


def _settled(upstreams: Sequence[Upstream]) -> dict[str, tuple[str, ...]]:
    """The runs that are settled on, now or before."""
    return {
        one.job: tuple(run.id for run in one.runs)
        for one in upstreams
        if one.is_settled or not (_is_open(one) or not one.runs)
    }


def _is_open(upstream: Upstream) -> bool:
    """Whether its newest run may still be to come."""
    return upstream.is_there and (upstream.undecided or upstream.has_no_host)


def _unsettled(upstream: Upstream) -> tuple[int, str] | None:
    """Where its newest run may still be to come: when to look again, and what is waited for."""
    if upstream.is_settled or not _is_open(upstream):
        return None
    if upstream.has_no_host:
        return LATER_MS, f"{upstream.job}, which no live host has a role for"
    return SOON_MS, f"{upstream.job}, which is due"


def _needed(upstream: Upstream, quorum: int | str | None) -> Verdict | tuple[int, str] | None:
    """None where enough of its runs have succeeded."""
    if open := _unsettled(upstream):
        return open
    runs = upstream.runs
    if not runs:
        if not upstream.is_there:
            return Verdict(what="skip", told=f"needs {upstream.job}, which is no job any more")
        return LATER_MS, f"{upstream.job}, which has not run yet"
    enough = quorum_of(quorum, len(runs)) if upstream.on_several else len(runs)
    good = sum(run.is_good for run in runs)
    live = [run for run in runs if not run.is_over]
    if good >= enough:
        return None
    if good + len(live) >= enough:
        return IN_CASE_MS, _listed(live)
    bad = [run for run in runs if run.is_over and not run.is_good]
    of = f", and {enough} of {len(runs)} runs have to succeed" if upstream.on_several else ""
    if not bad:
        return Verdict(what="skip", told=f"needs {upstream.job}{of}")
    return Verdict(
        what="skip",
        told=f"needs {upstream.job}: {_ended(bad[0])}{of}",
        blocked_by=bad[0].blocked_by or bad[0].id,
    )


def _waited_for(upstream: Upstream) -> tuple[int, str] | None:
    """None where its runs have ended, however; or where there are none."""
    if open := _unsettled(upstream):
        return open
    live = [run for run in upstream.runs if not run.is_over]
    return (IN_CASE_MS, _listed(live)) if live else None


def _listed(runs: Sequence[UpstreamRun]) -> str:
    more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    return f"{runs[0].id}{more}"


def _ended(run: UpstreamRun) -> str:
    """How a run that did not succeed has ended."""
    if run.state is None:
        return f"{run.id} is not known any more"
    because = f" ({run.reason})" if run.reason else ""
    return f"{run.id} ended as {run.state}{because}"
