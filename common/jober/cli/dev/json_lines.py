"""`jober dev --log-format json`: all that there is to tell is a line of JSON on stderr, as the logs
of daemons are in production."""

import logging
import sys

from jober.cli.dev.story import Going, State
from jober.event import Event
from jober.logs import about_run, set_up_logs
from jober.output import Stream
from jober.run import Run

log = logging.getLogger("jober.dev")


class JsonLines:
    """Ends of runs, fires that made none, notes, and what the daemons log."""

    reads_output = False

    def __init__(self) -> None:
        set_up_logs("info", "json")

    def finished(self, run: Run) -> None:
        told = f": {run.reason}" if run.reason and run.reason != run.state else ""
        extra = {**about_run(run.id, run.job, run.attempt), "host": run.host, "state": run.state}
        log.info("%s ended as %s%s", run.id, run.state, told, extra=extra)

    def no_run(self, event: Event) -> None:
        told, reason = event.type.partition(".")[2], event.facts.get("reason", "")
        log.info("a fire of %s is %s: %s", event.job, told, reason, extra={"job": event.job})

    def output(self, at_ms: int, run: Going, stream: Stream, line: str) -> None:
        """Not shown."""

    def note(self, text: str) -> None:
        log.info("%s", text)

    def state(self, state: State) -> None:
        """Not shown."""

    def relay(self, daemon: str, line: str) -> None:
        """What a daemon has logged, as it stands."""
        if line.startswith("{"):
            sys.stderr.write(line + "\n")
        else:
            log.info("%s: %s", daemon, line)
