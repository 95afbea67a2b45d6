"""What the commands print with: consoles, colours that mean something, JSON, notes."""

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from jober.run import RunState

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STATE_STYLES: dict[str, str] = {
    RunState.QUEUED: "dim",
    RunState.WAITING: "dim",
    RunState.PARKED: "dim",
    RunState.DELAYED: "yellow",
    RunState.RUNNING: "blue",
    RunState.SUCCESS: "green",
    RunState.FAILED: "red",
    RunState.TIMEOUT: "red",
    RunState.LOST: "red",
    RunState.POISONED: "red",
    RunState.CANCELLED: "yellow",
    # of services
    "healthy": "green",
    "starting": "blue",
    "stopping": "yellow",
    "restarting": "yellow",
    "no host": "red",
    # of jobs, of fires (and of runs) and of agents
    "active": "",
    "paused": "yellow",
    "later": "yellow",
    "fired": "green",
    "short": "yellow",
    "skipped": "yellow",
    "missed": "red",
    "up": "green",
    "draining": "yellow",
    "cordoned": "yellow",
    "silent": "red",
}
# Where nobody reads along the lines, they may be as long as they are.
_UNBOUNDED = 10_000


def stdout() -> "Console":
    """Standard output, in colours where a person looks (and NO_COLOR is not set)."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            # It is called where the error is at hand, and `main` knows what that means.
            raise

    bound = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Output(highlight=False, markup=False, emoji=False, width=None if bound else _UNBOUNDED)


def state(word: str) -> "Text":
    """A state, in the colour that it means."""
    from rich.text import Text

    return Text(str(word), style=STATE_STYLES.get(word, ""))


def json_text(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def print_json(value: Any) -> None:
    """A value as JSON, in its own letters."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_json_line(value: Any) -> None:
    """A value as JSON on one line, at once: for what is followed."""
    sys.stdout.write(json_text(value) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Something to know, beside what was asked for: on stderr, as an error is."""
    sys.stderr.write(f"jober: {text}\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(text + "\n")
