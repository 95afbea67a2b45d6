"""`jober dev`: starts a private Redis, a scheduler and agents, shows what they do, ends them."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

from jober.cli import terminal
from jober.cli.apply import difference_lines
from jober.cli.dev import web
from jober.cli.dev.hosts import Host, hosts_for, parse_hosts, unserved
from jober.cli.dev.json_lines import JsonLines
from jober.cli.dev.plain import PlainLines
from jober.cli.dev.screen import Screen
from jober.cli.dev.story import Story
from jober.cli.dev.watch import Watch
from jober.cli.options import Argument, Option, WrongCall
from jober.client import Jober
from jober.daemon import LOG_FORMAT_VARIABLE, LOG_FORMATS
from jober.embedded import RedisServer
from jober.embedded.daemons import Daemon, kill_all
from jober.errors import DefinitionError, JoberError, RedisUnavailable
from jober.job import Job
from jober.jobs_file import Difference, read_jobs

# How long runs may go on once it ends; then they are stopped, with their grace.
_DRAIN_S = 1
_ROOM_S = 4.0
_LOOK_S = 1.0
# A signal that comes twice, to the process and to its group, is one signal.
_SAME_SIGNAL_S = 0.5


def dev(
    file: Annotated[str, Argument(metavar="FILE", help="A jobs file: .toml, .yaml or .yml.")],
    agent: Annotated[
        list[str] | None,
        Option(
            "--agent",
            metavar="HOST=ROLE,ROLE",
            help="A host to pretend; give it once for each. (default: two or more hosts that "
            "together have every role of the file)",
            show_default=False,
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        Option(
            "--log-format",
            metavar="FORMAT",
            help="text, or json: all that it tells, and all that its daemons log, as an object a "
            f"line on stderr. (default: {LOG_FORMAT_VARIABLE}, else text)",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Run a whole fleet on this machine, and watch it.

    A private Redis, a scheduler, agents for several pretended hosts, and the web pages where
    their extra is installed, with the jobs of the file. What the runs write and how they end
    scrolls by; Ctrl-C ends it all and leaves nothing behind. A change of the file is applied at
    once.

    Where stdout is no terminal, it prints a line for each finished run: time, job, host, state
    and duration. From another terminal, with the JOBER_REDIS_URL that it tells, every other
    command works.

    Examples:
      jober dev examples/fleet.toml
      jober dev fleet.toml --agent web1=web --agent web2=web --agent db1=db
    """
    format = log_format or os.environ.get(LOG_FORMAT_VARIABLE) or "text"
    if format not in LOG_FORMATS:
        raise WrongCall(f"'{format}' is no format of logs (one of {', '.join(LOG_FORMATS)})")
    jobs = read_jobs(file).jobs
    hosts = parse_hosts(agent) if agent else hosts_for(jobs)
    with Signals() as signals:
        _Dev(file, jobs, hosts, signals, format).run()
    return 0


class Signals:
    """Counts the times that we were told to end: Ctrl-C, TERM, or the terminal closed."""

    def __init__(self) -> None:
        self.count = 0
        self._at = -1.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Signals":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            # Of nohup: the terminal may close. A shell's background job is to heed SIGINT.
            if number == signal.SIGHUP and before == signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _take(self, _number: int, _frame: object) -> None:
        now = time.monotonic()
        if now - self._at > _SAME_SIGNAL_S or self._at < 0:
            self.count += 1
        self._at = now


class _Dev:
    """The whole of it, from start to end."""

    def __init__(
        self,
        file: str,
        jobs: Sequence[Job],
        hosts: Sequence[Host],
        signals: Signals,
        log_format: str,
    ) -> None:
        self._file = file
        self._jobs = jobs
        self._hosts = hosts
        self._signals = signals
        self._log_format = log_format
        self._daemons: list[Daemon] = []
        self._grace_s = max((job.grace for job in jobs), default=0.0)

    def run(self) -> None:
        with ExitStack() as stack:
            server = stack.enter_context(RedisServer())
            stack.callback(kill_all, self._daemons)
            jober = stack.enter_context(Jober(server.url))
            watch = Watch(jober, self._file)
            watch.apply()
            place = web.free_place() if web.is_installed() else None
            self._start_daemons(server, place)
            link = web.link(jober, place) if place else None
            teller = self._teller(stack, server.url, link)
            for job in unserved(self._jobs, self._hosts):
                teller.note(f"{job.name}: no host here has a role that it asks for")
            try:
                self._watch(jober, watch, teller)
            except RedisUnavailable as error:
                raise JoberError(f"the private Redis is gone: {error.__cause__ or error}") from None

    def _start_daemons(self, server: RedisServer, place: str | None) -> None:
        if place is not None:
            self._add("web", ["web", "--bind", place], server)
        self._add("scheduler", ["scheduler"], server)
        for host in self._hosts:
            arguments = ["worker", "--host", host.name, "--roles", ",".join(sorted(host.roles))]
            # Results for a Redis that ends with us are of no use to anybody later.
            arguments += ["--drain", str(_DRAIN_S), "--journal-dir", str(server.folder / "journal")]
            self._add(host.name, arguments, server)
        for daemon in self._daemons:
            daemon.start()

    def _add(self, name: str, arguments: list[str], server: RedisServer) -> None:
        arguments = [*arguments, "--log-format", self._log_format]
        self._daemons.append(Daemon(name, arguments, server.url, server.folder))

    def _teller(
        self, stack: ExitStack, url: str, link: str | None
    ) -> Screen | PlainLines | JsonLines:
        told = f"pages (this link logs you in once): {link}" if link else None
        job_width = max((len(job.name) for job in self._jobs), default=0)
        host_width = max(len(host.name) for host in self._hosts)
        if self._log_format == "json":
            lines = JsonLines()
            for told_first in filter(None, (told, f"export JOBER_REDIS_URL={url}")):
                lines.note(told_first)
            return lines
        if sys.stdout.isatty():
            screen = stack.enter_context(
                Screen(self._hosts, url, min(job_width + host_width + 1, 30))
            )
            if told:
                screen.note(told)
            return screen
        terminal.note("hosts: " + ", ".join(map(str, self._hosts)))
        if told:
            terminal.note(told)
        terminal.note(f"export JOBER_REDIS_URL={url}")
        return PlainLines(job_width, host_width)

    def _watch(self, jober: Jober, watch: Watch, teller: Screen | PlainLines | JsonLines) -> None:
        """Tell what happens until we are told to end, then until all have ended."""
        story = Story(jober, teller)
        looked = stopping_since = 0.0
        heeded = 0
        ended = False
        for _ in story.follow():
            now = time.monotonic()
            self._tell_warnings(teller)
            if isinstance(teller, Screen) and teller.is_gone:
                self._signals.count = max(1, self._signals.count)
            if self._signals.count > heeded:
                # Each time that we are told, the agents are; the second time they hurry.
                heeded = self._signals.count
                stopping_since = stopping_since or now
                for daemon in self._daemons:
                    daemon.send(signal.SIGTERM)
            if stopping_since:
                if ended:
                    return
                # Once more around, for what they told last.
                ended = not any(daemon.is_running for daemon in self._daemons)
                if now - stopping_since > _DRAIN_S + self._grace_s + _ROOM_S:
                    teller.note("some do not end; killing them")
                    return
                if isinstance(teller, Screen):
                    going = ", ".join(f"{run.job}@{run.host}" for run in story.going)
                    left = f": waiting for {going}" if going else ""
                    teller.stopping(f"ending{left} (Ctrl-C again: at once)")
            elif now - looked >= _LOOK_S:
                looked = now
                for daemon in self._daemons:
                    if told := daemon.look(now):
                        teller.note(told)
                self._tell_change(watch.look(), teller)

    def _tell_warnings(self, teller: Screen | PlainLines | JsonLines) -> None:
        """What the daemons have logged since: as JSON all of it."""
        for daemon in self._daemons:
            if isinstance(teller, JsonLines):
                for line in daemon.lines():
                    teller.relay(daemon.name, line)
            else:
                for warning in daemon.warnings():
                    teller.note(f"{daemon.name}: {warning}")

    def _tell_change(
        self,
        told: Difference | DefinitionError | None,
        teller: Screen | PlainLines | JsonLines,
    ) -> None:
        if told is None:
            return
        if isinstance(told, DefinitionError):
            for line in str(told).splitlines():
                teller.note(line)
            teller.note(f"{self._file} is not applied; the jobs are as before")
            return
        for change in difference_lines(told):
            if isinstance(teller, Screen):
                teller.text(change)
            else:
                teller.note(change.plain)
        for job in unserved([*told.added, *(one.new for one in told.changed)], self._hosts):
            teller.note(f"{job.name}: no host here has a role that it asks for (see --agent)")
