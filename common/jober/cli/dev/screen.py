"""`jober dev` in a terminal: what happens scrolls by, and how things stand is below it.

What has scrolled by stays in the terminal, so that it can be read and searched afterwards.
"""

from collections.abc import Sequence
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.text import Text

from jober.cli import terminal
from jober.cli.dev.hosts import Host
from jober.cli.dev.story import Going, State
from jober.event import Event
from jober.output import Stream
from jober.run import Run
from jober.words import duration, moment, moment_and_hint, plain, relative

_WHO_AT_LEAST = 14


class Screen:
    """The view: lines above, a block of the state below."""

    reads_output = True

    def __init__(self, hosts: Sequence[Host], url: str, who_width: int) -> None:
        self._hosts = hosts
        self._url = url
        self._who = max(_WHO_AT_LEAST, who_width)
        self._console = terminal.stdout()
        self._lines: list[Text] = []
        self._shown = ""
        self._stopping = ""
        # Whether the terminal has been closed; then there is nothing to draw on.
        self.is_gone = False
        # It is drawn when there is something new, by us: a thread of its own would draw always.
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> "Screen":
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_gone:
            return
        # The block is of no use once nothing is there any more; the lines stay.
        self._live.update(Text(""), refresh=False)
        self._print_lines()
        self._live.stop()

    def finished(self, run: Run) -> None:
        line = self._begin(run.ended_at_ms or 0, run.job or run.id, run.host or "")
        line.append_text(terminal.state(run.state))
        if run.duration_s is not None:
            line.append(f"  {duration(run.duration_s)}", style="dim")
        if run.reason and run.reason != run.state:
            line.append(f"  {plain(run.reason)}")
        self._lines.append(line)

    def no_run(self, event: Event) -> None:
        decision = event.type.partition(".")[2]
        line = self._begin(event.at_ms, event.job or "", event.facts.get("host", ""))
        line.append_text(terminal.state(decision))
        line.append(f"  {plain(event.facts.get('reason', ''))}", style="dim")
        self._lines.append(line)

    def output(self, at_ms: int, run: Going, stream: Stream, line: str) -> None:
        text = self._begin(at_ms, run.job, run.host)
        text.append("│ ", style="red" if stream is Stream.STDERR else "dim")
        self._lines.append(text.append(plain(line)))

    def note(self, text: str) -> None:
        self._lines.append(Text(plain(text), style="yellow"))

    def text(self, text: Text) -> None:
        """A line as it is."""
        self._lines.append(text)

    def stopping(self, text: str) -> None:
        """Say that it ends, and what it waits for."""
        self._stopping = text

    def state(self, state: State) -> None:
        """Draw what is new."""
        if self.is_gone:
            return
        try:
            self._draw(state)
        except OSError:
            self.is_gone = True

    def _draw(self, state: State) -> None:
        block = self._block(state)
        # With its styles: a state may change its colour alone.
        shown = "\n".join(line.markup for line in block) + str(self._console.size)
        if self._lines or shown != self._shown:
            self._shown = shown
            self._live.update(Group(*block), refresh=False)
            if not self._print_lines():
                self._live.refresh()

    def _print_lines(self) -> bool:
        """Print what waits; the block is drawn again with it."""
        if not self._lines:
            return False
        self._console.print(Text("\n").join(self._lines), soft_wrap=True)
        self._lines = []
        return True

    def _begin(self, at_ms: int, job: str, host: str) -> Text:
        who = f"{job}@{host}" if host else job
        line = Text(f"{moment(at_ms, at_ms)}  ", style="dim")
        line.append(f"{plain(who):<{self._who}}  ", style="default")
        return line

    def _block(self, state: State) -> list[Text]:
        lines = [Text("")]
        label = max(len("leader"), *(len(host.name) for host in self._hosts)) + 2
        width = self._console.width

        def add(name: str, *parts: Text | str) -> None:
            line = Text(f"{name:<{label}}", style="bold")
            for part in parts:
                line.append_text(part if isinstance(part, Text) else Text(part, style="default"))
            line.truncate(width, overflow="ellipsis")
            lines.append(line)

        leader = state.leader
        since = moment_and_hint(leader.since_ms, state.now_ms) if leader else ""
        told = f"pid {leader.pid}, since {since}" if leader else Text("none yet", style="yellow")
        add("leader", told)
        roles_width = max(len(", ".join(sorted(host.roles))) for host in self._hosts)
        live = {agent.host for agent in state.agents}
        for host in self._hosts:
            going = [run for run in state.going if run.host == host.name]
            runs = Text(", ").join(
                Text(f"{run.job} {_elapsed(run, state.now_ms)}", style="blue") for run in going
            )
            if host.name not in live:
                runs = Text("not there", style="yellow")
            add(host.name, f"{', '.join(sorted(host.roles)):<{min(roles_width, 40)}}  ", runs)
        coming = " · ".join(
            f"{name} {relative(max(due, state.now_ms), state.now_ms)}"
            for name, due in state.next_fires
        )
        add("next", coming or "nothing is due")
        lines.append(Text(f"export JOBER_REDIS_URL={self._url}", style="cyan"))
        hint = "Ctrl-C ends it all; the line above is for another terminal: jober jobs, jober runs"
        lines.append(Text(self._stopping, "yellow") if self._stopping else Text(hint, "dim"))
        lines[-1].truncate(width, overflow="ellipsis")
        return lines


def _elapsed(run: Going, now_ms: int) -> str:
    """In whole seconds: the view is to be calm."""
    seconds = max(0, now_ms - run.since_ms) // 1000
    return duration(seconds) if seconds >= 10 else f"{seconds} s"
