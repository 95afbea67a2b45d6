"""One who types what a page says, in its order, on a fleet of hosts that have every role.

What pages say of machines of the reader is put in the place of: addresses of Redis, ports of this
host, paths of the system (they are below a folder), databases, and ids: that of a run is the one
of the newest run of its job, and that of a token the newest one. Programs of the reader's own,
such as pg_dump, only say that they ran.
"""

import ast
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from jober.client.people import People
from jober.errors import JoberError, JobNotFound
from tests.fleet import BIN, ROOT, Fleet
from tests.free_port import free_port
from tests.pages.blocks import Block, Statement, is_printed, statements
from tests.pages.data import check_data
from tests.pages.going_on import PATIENCE_S, GoingOn
from tests.pages.parsing import commands_of
from tests.pages.terminal import typed_at_a_terminal

# Programs that jobs of pages run, and that are the reader's own.
PROGRAMS = ("pg_dump",)
# That something is wrong is what it is for to say.
MAY_FAIL = {"doctor": {0, 1}}

_REDIS = re.compile(
    r"\brediss?(?:\+sentinel)?://[^\s\"';)]*?(?:/(\d+))?(?:\?[^\s\"';)]+)?(?=[\s\"';)]|$)"
)
_PATH = re.compile(r"(?<![\w./-])/(backup|etc|opt|srv|var)(?=/)")
_PORT = re.compile(r"127\.0\.0\.1:(\d+)")
_SQL = re.compile(r"(?:postgresql\+psycopg://|sqlite:///)[^\s\"';)]+")
_TOKEN = re.compile(r"\bq3zk7mwxya\b")
_RUN = re.compile(r"\b([A-Za-z0-9][\w-]*?)-\d{8}T\d{6}Z\b")


class Reader:
    """`fleet` has its agents already, in `folder`."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.folder = folder
        self._ports: dict[str, int] = {}
        self._going: list[GoingOn] = []
        self._state = folder / ".shell"
        self._state.unlink(missing_ok=True)
        self.environ = {
            **{name: value for name, value in os.environ.items() if name != "COLUMNS"},
            **fleet.environ,
            "JOBER_REDIS_URL": fleet.url,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def read(self, blocks: Iterable[Block]) -> list[str]:
        """Do what each says, and check what came of it: all that was not as the page says."""
        wrong = []
        for block in blocks:
            for step in self._steps(block):
                try:
                    step()
                except (AssertionError, JoberError, OSError, subprocess.TimeoutExpired) as error:
                    wrong.append(f"{block.place}: {type(error).__name__}: {error}")
        return wrong

    def _steps(self, block: Block) -> Iterator[Callable[[], None]]:
        if block.language in ("toml", "yaml", "json", "ini"):
            yield partial(check_data, block)
        if block.title:
            yield partial(self._write, block.title, block.text)
        elif block.language == "python":
            yield partial(self._program, block)
        if block.language in ("sh", "console"):
            for statement in statements(block):
                yield partial(self._type, statement)

    def _write(self, title: str, text: str) -> None:
        path = self.folder / self._put_in(title)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._put_in(text))

    def end(self) -> list[str]:
        """End what still goes on, and forget what the page had made: what did not end well."""
        wrong = [told for one in reversed(self._going) if (told := one.end())]
        jober = self.fleet.jober
        for host in {agent.host for agent in jober.agents()}:
            jober.uncordon(host)
            jober.set_roles(host, None)
        for run in jober.running():
            jober.handle(run.id).cancel()
        nothing = self.folder / "nothing.toml"
        nothing.write_text("[jobs]\n")
        jober.apply(nothing, prune=True, force=True)
        return wrong

    # Programs

    def _program(self, block: Block) -> None:
        tree = ast.parse(block.text)
        program = [sys.executable, "-c", self._put_in(block.text)]
        if any("schedule()" in ast.unparse(one) for one in tree.body if isinstance(one, ast.Expr)):
            before = set(self._names())
            self._go_on(block.place, program).wait_until(lambda: set(self._names()) - before)
            return
        status, printed, complained = self._done(program)
        assert status == 0, complained
        promised = re.findall(r"^ *print\(.*\)  # (.+)$", block.text, re.MULTILINE)
        assert not promised or is_printed("\n".join(promised), printed), f"it printed: {printed}"

    # Commands

    def _type(self, statement: Statement) -> None:
        text = self._put_in(statement.text)
        words = next(iter(commands_of(statement.text)), [])
        if words and _is_endless(words):
            self._let_go_on(statement, text)
            return
        shell = ["bash", "-euo", "pipefail", "-c", self._kept(text)]
        if words[1:2] == ["user"] and words[2] in ("add", "passwd") and "-stdin" not in text:
            status, printed = typed_at_a_terminal(shell, self.environ, self.folder)
            complained = printed
        else:
            status, printed, complained = self._done(shell)
        may = MAY_FAIL.get(words[1], {0}) if words[1:] else {0}
        told = f"{statement.place}: `{statement.text}`"
        expected = statement.printed
        if expected is None:
            assert status in may, f"{told} ended with {status}:\n{printed}{complained}"
        else:
            all_printed = printed + complained
            assert is_printed(expected, all_printed), (
                f"{told} printed, and not what the page says:\n{all_printed}"
            )

    def _kept(self, text: str) -> str:
        """The command, with the variables and the folder of those before it."""
        state = shlex.quote(str(self._state))
        return (
            f"set -a\n[ ! -e {state} ] || . {state}\n{text}\n"
            f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > {state}\n"
        )

    def _let_go_on(self, statement: Statement, text: str) -> None:
        """Start what goes on for ever, until it does what it is for."""
        if "jober-web" in text and "--bind" not in text:
            text = text.replace("jober-web", f"jober-web --bind 127.0.0.1:{self._port('8900')}", 1)
        one = self._go_on(statement.place, ["bash", "-euc", self._kept(f"exec env {text}")])
        if listens := re.search(r"(?:--bind|--metrics) 127\.0\.0\.1:(\d+)", text):
            one.wait_until(lambda: _answers(int(listens[1])))
        elif " dev " in text:
            told = re.compile(r"export JOBER_REDIS_URL=(\S+)")
            one.wait_until(lambda: told.search(one.said))
            # So the reader does at another terminal, with all that follows.
            with self._state.open("a") as file:
                file.write(f"{told.search(one.said)[0]}\n")  # type: ignore[index]
        else:
            if " events " in text:
                self.fleet.jober.run("true", shell=True)
            one.wait_until(lambda: one.said)

    def _go_on(self, place: str, command: list[str]) -> GoingOn:
        log = self.folder / f".said-{len(self._going)}"
        self._going.append(GoingOn(place, command, self.folder, self.environ, log))
        return self._going[-1]

    def _done(self, command: list[str]) -> tuple[int, str, str]:
        """Its status, and what it wrote to stdout and stderr; TimeoutExpired where it hangs."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        return done.returncode, done.stdout, done.stderr

    # What is put in the place of the reader's own

    def _put_in(self, text: str) -> str:
        text = _PATH.sub(lambda found: f"{self.folder}/{found[1]}", text)
        text = _PORT.sub(lambda found: f"127.0.0.1:{self._port(found[1])}", text)
        text = _REDIS.sub(self._redis, text)
        text = _SQL.sub(f"sqlite:///{self.folder}/archive.db", text)
        text = _TOKEN.sub(lambda _: People(self.fleet.jober).tokens(1)[0].id, text)
        return _RUN.sub(lambda found: self._run_of(found[1]), text)

    def _redis(self, found: re.Match[str]) -> str:
        return self.fleet.url + (f"?db={found[1]}" if found[1] not in (None, "0") else "")

    def _port(self, told: str) -> int:
        return self._ports.setdefault(told, free_port())

    def _names(self) -> list[str]:
        return [record.name for record in self.fleet.jober.jobs()]

    def _run_of(self, job: str) -> str:
        """The newest run of the job; it is made where there is none."""
        jober = self.fleet.jober
        try:
            jober.job(job)
        except JobNotFound:
            jober.add_job(job, command="pg_dump all", output="file")
        runs = jober.runs(job, limit=1)
        if runs:
            return runs[0].id
        run = jober.run(job)
        run.wait(timeout=PATIENCE_S)
        return run.id


def _is_endless(words: list[str]) -> bool:
    if {"--check", "--help", "--version"} & set(words):
        return False
    if words[0] != "jober":
        return True
    if words[1] == "events":
        return bool({"--follow", "-f"} & set(words))
    return words[1] in ("dev", "scheduler", "web", "worker")


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def make_folder(folder: Path) -> dict[str, str]:
    """What is in the folder of a reader who has a checkout; the environment that goes with it."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    programs = folder / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text(f'#!/bin/sh\necho "{name}" "$@"\n')
        (programs / name).chmod(0o755)
    for name in ("backup", "etc/jober", "opt", "srv", "var/backups", "var/lib/jober"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "etc" / "crontab").write_text("17 * * * * root run-parts /etc/cron.hourly\n")
    return {
        "HOME": str(folder),
        "PATH": f"{programs}:{BIN}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "STATE_DIRECTORY": str(folder / "var" / "lib" / "jober"),
    }
