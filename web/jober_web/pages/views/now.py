"""What goes on now."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jober.agent_info import AgentInfo, LeaderInfo
from jober.queue_info import Counts, QueueInfo
from jober.run import Run
from jober.words import count, duration
from jober_web.pages.plots.bars import Bar, bar_plot
from jober_web.pages.views.run_line import RunLine, run_line
from jober_web.pages.wall import Wall

# A run that waits for so long in a queue is late.
LATE_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number with its word; `tone` is `bad` or `wait` where somebody should look."""

    number: str
    word: str
    route: str
    query: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What somebody should look at, with the names of the jobs, or of the run, to begin with."""

    words: str
    jobs: tuple[str, ...] = ()
    run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    figures: tuple[Figure, ...]
    warnings: tuple[Warned, ...]
    running: tuple[RunLine, ...]
    bad: tuple[RunLine, ...]
    bad_note: str
    late: tuple[QueueInfo, ...]
    leader: LeaderInfo | None
    agents: int
    slots_used: int
    slots: int
    throughput: Markup
    made_in_hour: int


def now_view(
    *,
    counts: Counts,
    overdue: Sequence[str],
    queues: Sequence[QueueInfo],
    running: Sequence[Run],
    bad: Sequence[Run],
    bad_number: int,
    looked_ms: int,
    leader: LeaderInfo | None,
    agents: Sequence[AgentInfo],
    made: Sequence[int],
    wall: Wall,
) -> Now:
    """`overdue` names some of the jobs that are, `made` are the runs of each of the last minutes;
    `looked_ms` is how far back the bad ones were looked for."""
    late = tuple(
        queue
        for queue in queues
        if queue.oldest_at_ms is not None and wall.now_ms - queue.oldest_at_ms > LATE_MS
    )
    waits = counts.parked + counts.delayed + counts.waiting
    is_late = counts.overdue + sum(queue.waiting for queue in late)
    return Now(
        figures=(
            Figure(number=f"{counts.running}", word="running", route="runs", query="state=running"),
            Figure(number=f"{counts.queued}", word="queued", route="limits"),
            Figure(number=f"{waits}", word="waiting", route="limits"),
            Figure(
                number=f"{is_late}", word="late", route="limits", tone="wait" if is_late else ""
            ),
            Figure(
                number=f"{bad_number}",
                word="failed in a day",
                route="runs",
                query="state=bad",
                tone="bad" if bad_number else "",
            ),
            Figure(number=f"{counts.jobs}", word="jobs", route="jobs"),
        ),
        warnings=_warnings(counts, overdue, leader, agents, late, wall),
        running=tuple(run_line(run, wall.now_ms) for run in running),
        bad=tuple(run_line(run, wall.now_ms) for run in bad),
        bad_note=_bad_note(bad, bad_number, looked_ms, wall),
        late=late,
        leader=leader,
        agents=len(agents),
        slots_used=sum(agent.running for agent in agents),
        slots=sum(agent.slots for agent in agents),
        throughput=_throughput(made, wall),
        made_in_hour=sum(made),
    )


def _warnings(
    counts: Counts,
    overdue: Sequence[str],
    leader: LeaderInfo | None,
    agents: Sequence[AgentInfo],
    late: Sequence[QueueInfo],
    wall: Wall,
) -> tuple[Warned, ...]:
    told = []
    if leader is None:
        words = "No scheduler leads: nothing fires until one is started (jober-scheduler)."
        told.append(Warned(words=words))
    if not agents:
        words = "No agent is live: nothing runs until one is started (jober-worker)."
        told.append(Warned(words=words))
    if leader and counts.overdue:
        words = f"{count(counts.overdue, 'job')} due for 10 s and more: nobody has decided."
        told.append(Warned(words=words, jobs=tuple(overdue)))
    for queue in late[:3]:
        assert queue.oldest_at_ms is not None
        waited = duration((wall.now_ms - queue.oldest_at_ms) / 1000)
        words = f"{count(queue.waiting, 'run')} in the queue {queue.name}, the first for {waited}:"
        told.append(Warned(words=words, run=queue.oldest))
    return tuple(told)


def _bad_note(bad: Sequence[Run], number: int, looked_ms: int, wall: Wall) -> str:
    told = f"the newest {len(bad)} of {number}; " if number > len(bad) else ""
    return f"{told}since {wall.short(looked_ms)}" if told or number else ""


def _throughput(made: Sequence[int], wall: Wall) -> Markup:
    bars = [
        Bar(
            value=number,
            state="count",
            title=f"{count(number, 'run')} made at "
            f"{wall.clock(wall.now_ms - (len(made) - place) * 60_000)[:5]}",
        )
        for place, number in enumerate(made)
    ]
    return bar_plot(
        bars,
        f"Runs made in each of the last {len(made)} minutes: {sum(made)} in all",
        lambda value: f"{value:g}",
        (wall.clock(wall.now_ms - len(made) * 60_000)[:5], "now"),
        size=(420, 120),
    )
