"""Jobs, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jober.client import JobRecord, LaterJob
from jober.run import RunBrief
from jober.words import duration
from jober_web.pages.plots.bars import Bar, sparkline
from jober_web.pages.wall import Wall

# How many runs a sparkline shows.
RUNS = 20
STATES = ("active", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """A job as a line: `next` is its next fire in words, `last` the state of its newest run."""

    name: str
    title: str
    state: str
    schedule: str
    next_ms: int | None
    next: str
    tags: tuple[str, ...]
    roles: str
    last: str
    last_id: str
    last_ms: int | None
    spark: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """`query` is what is looked for, as the address has it; `next` where the next page begins."""

    lines: tuple[JobLine, ...]
    text: str
    tag: str
    role: str
    state: str
    next: str | None
    is_searched: bool

    @property
    def asked(self) -> dict[str, str]:
        """What is looked for, as an address has it."""
        told = {"q": self.text, "tag": self.tag, "role": self.role, "state": self.state}
        return {name: value for name, value in told.items() if value}


def jobs_view(
    records: Sequence[JobRecord],
    later: Sequence[LaterJob],
    histories: Mapping[str, Sequence[RunBrief]],
    following: str | None,
    wall: Wall,
    *,
    text: str = "",
    tag: str = "",
    role: str = "",
    state: str = "",
) -> Jobs:
    lines = [job_line(record, histories.get(record.name, ()), wall) for record in records]
    lines += map(later_line, later)
    return Jobs(
        lines=tuple(sorted(lines, key=lambda line: line.name)),
        text=text,
        tag=tag,
        role=role,
        state=state,
        next=following,
        is_searched=bool(text or tag or role or state),
    )


def job_line(record: JobRecord, runs: Sequence[RunBrief], wall: Wall) -> JobLine:
    job = record.job
    last = runs[-1] if runs else None
    return JobLine(
        name=record.name,
        title=job.title or "",
        state="paused" if record.paused else "active",
        schedule=job.schedule_text,
        next_ms=None if record.paused else record.next_ms,
        next=next_words(record, wall),
        tags=tuple(job.tags),
        roles=" or ".join(job.roles) or "default",
        last=str(last.state) if last else "",
        last_id=last.id if last else "",
        last_ms=(last.ended_at_ms or last.started_at_ms) if last else None,
        spark=spark(runs),
    )


def later_line(job: LaterJob) -> JobLine:
    """Of a job that this version cannot read."""
    return JobLine(
        name=job.name,
        title="",
        state="later",
        schedule=job.problem,
        next_ms=None,
        next="",
        tags=(),
        roles="",
        last="",
        last_id="",
        last_ms=None,
        spark=Markup(""),
    )


def next_words(record: JobRecord, wall: Wall) -> str:
    """When it fires next, in words."""
    if record.paused:
        return "not while paused"
    if record.job.service:
        return "kept alive"
    if record.job.schedule is None:
        return "by hand"
    if record.next_ms is None:
        return "never again"
    if record.next_ms <= wall.now_ms:
        return "due now"
    return wall.relative(record.next_ms)


def spark(runs: Sequence[RunBrief]) -> Markup:
    """The durations of its newest runs; nothing where there are none."""
    if not runs:
        return Markup("")
    bars = [
        Bar(value=run.duration_s or 0.0, state=str(run.state), title=brief_words(run))
        for run in runs
    ]
    took = [run.duration_s for run in runs if run.duration_s is not None]
    told = f", {duration(min(took))} to {duration(max(took))}" if took else ""
    return sparkline(bars, f"the last {len(runs)} runs{told}")


def brief_words(run: RunBrief) -> str:
    """`success in 3.2 s on db1`."""
    took = f" in {duration(run.duration_s)}" if run.duration_s is not None else ""
    return f"{run.state}{took}{f' on {run.host}' if run.host else ''}"
