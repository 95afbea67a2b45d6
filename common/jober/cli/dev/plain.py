"""`jober dev` where stdout is no terminal: one line a finished run, for grep and for CI."""

import sys

from jober.cli.dev.story import Going, State
from jober.cli.terminal import note
from jober.clock import from_ms
from jober.event import Event
from jober.output import Stream
from jober.run import Run
from jober.words import plain


class PlainLines:
    """On stdout, a line for each finished run, at once: time, job, host, state, duration, and
    the reason where there is one. All else is told on stderr."""

    reads_output = False

    def __init__(self, job_width: int, host_width: int) -> None:
        self._job_width = job_width
        self._host_width = host_width

    def finished(self, run: Run) -> None:
        ended = from_ms(run.ended_at_ms or 0).astimezone()
        took = f"{run.duration_s:.3f}s" if run.duration_s is not None else "-"
        line = (
            f"{ended:%H:%M:%S}  {run.job or run.id:<{self._job_width}}  "
            f"{run.host or '-':<{self._host_width}}  {run.state:<9}  {took:>9}"
        )
        if run.reason and run.reason != run.state:
            line += f"  {plain(run.reason)}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def no_run(self, event: Event) -> None:
        if event.type == "fire.missed":
            note(f"{event.job} missed a fire: {event.facts.get('reason', '')}")

    def output(self, at_ms: int, run: Going, stream: Stream, line: str) -> None:
        """Not shown."""

    def note(self, text: str) -> None:
        note(text)

    def state(self, state: State) -> None:
        """Not shown."""
