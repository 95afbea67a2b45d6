"""Command lines with anything as arguments: what fails says why in a line for each thing, with exit
status 1 or 2, without a traceback, and with all in Redis as it was."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jober.cli import commands, main
from jober_worker.main import main as worker
from tests.fleet import BIN
from tests.fuzz import texts
from tests.fuzz.anything import anything_near
from tests.fuzz.seeded import HOST, JOBS, RUNS, Seeded, seeded
from tests.fuzz.target import Check, Target
from tests.test_backup import written

# What goes on until somebody ends it, or waits for an agent that is none.
_ENDLESS = {"-f", "--follow", "--wait", "--whole"}
FILES: dict[str, bytes] = {
    "good.toml": texts.JOBS_TOML[0].encode(),
    "good.yaml": texts.JOBS_YAML[0].encode(),
    "bad.toml": texts.JOBS_TOML[1].encode() + b"cron = 7\n[jobs.b]\n",
    "latin.toml": b"[jobs.\xff]",
    "tab": texts.CRONTABS[0].encode(),
    "a.timer": b"[Timer]\nOnCalendar=daily\n",
    "a.service": b"[Service]\nExecStart=/bin/true\n",
    "backup.jsonl": written(),
    "torn.jsonl": written()[:300],
    "empty": b"",
}
_WORDS = (
    *JOBS, *RUNS, *FILES, HOST, "absent", "database", ".", "-", "", "toml", "yaml", "1", "-1", "0",
    "1e9", "nan", "99999999999999999999", "x=1", 'a="b"', "[1]", "{", "now", "2026-11-21", "24h",
    "Europe/Warsaw", "failed", "success", "db,web", "a+!b", "0 3 * * *", "hour", "--json", "--",
    "--no-such-option", "--json=1", "-n", "-x", "--help",
)  # fmt: skip


def _options(name: str) -> tuple[list[str], list[str], int]:
    """The flags of a command, its options with a value, and how many arguments it takes."""
    if commands.COMMANDS[name].light:
        return [], ["--message", "--group", "--level", "--logger"], 3
    flags: list[str] = []
    valued: list[str] = []
    arguments = 0
    for parameter in commands.load(name).params:
        if parameter.param_type_name == "argument":
            arguments += 1
        elif not _ENDLESS & set(parameter.opts):
            (flags if parameter.is_flag else valued).extend(parameter.opts)
    return flags, [one for one in valued if one != "--redis"], arguments


_OPTIONS = {name: _options(name) for name in commands.COMMANDS if name != "dev"}
# No path of anybody else's: a command may write where it is told to.
_WORD = st.sampled_from(_WORDS) | st.sampled_from(_WORDS) | anything_near(_WORDS)
WORDS = _WORD.map(lambda word: word.replace("\0", "").replace("/", "_")).filter(
    lambda word: word.partition("=")[0] not in _ENDLESS and not word.startswith(("--fol", "--w"))
)


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, ...]:
    name = draw(st.sampled_from(sorted(_OPTIONS)))
    flags, valued, arguments = _OPTIONS[name]
    argv = name.split(" ")
    argv += [draw(WORDS) for _ in range(draw(st.integers(0, arguments + 1)))]
    for _ in range(draw(st.integers(0, 3))):
        has_value: bool = draw(st.booleans())
        if valued and has_value:
            option, value = draw(st.sampled_from(valued)), draw(WORDS)
            is_one = draw(st.booleans())
            argv += [f"{option}={value}"] if is_one else [option, value]
        elif flags:
            argv.append(draw(st.sampled_from(flags)))
    return tuple(argv)


@st.composite
def worker_lines(draw: st.DrawFn) -> tuple[str, ...]:
    """Of `jober-worker --check`, which tells its settings and ends."""
    argv = ["worker", "--check"]
    options = ["--slots", "--drain", "--host", "--roles", "--log-keep", "--filter", "--config"]
    for _ in range(draw(st.integers(0, 3))):
        argv += [draw(st.sampled_from([*options, "--log-level", "--json"])), draw(WORDS)]
    return tuple(argv)


def check_told(argv: Sequence[str], status: int, err: str) -> None:
    """What any command may come to. `worker` follows sysexits: 78 is a wrong setting."""
    assert "Traceback (most recent" not in err, err[-2000:]
    assert "a bug of jober" not in err, err
    assert status in ((0, 1, 2, 78) if argv[0] == "worker" else (0, 1, 2)), (status, err)
    assert status == 0 or err.strip() or _tells_by_output(argv), "it fails without a word"


def _tells_by_output(argv: Sequence[str]) -> bool:
    return argv[:1] == ("leader",)  # which says on stdout that nobody leads


@contextmanager
def _room(folder: Path) -> Iterator[Seeded]:
    """A fleet, and a folder of files to be named, in which the commands are called."""
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    was, environment = Path.cwd(), dict(os.environ)
    with seeded() as state:
        os.environ.update(JOBER_REDIS_URL=state.url, COLUMNS="80")
        os.chdir(folder)
        try:
            yield state
        finally:
            os.chdir(was)
            os.environ.clear()
            os.environ.update(environment)


@contextmanager
def _here(folder: Path) -> Iterator[Check]:
    with _room(folder) as state:

        def check(argv: tuple[str, ...]) -> None:
            status, err = _called(argv)
            _restore_files(folder)
            check_told(argv, status, err)
            if status:
                state.check_unchanged(" ".join(argv))
            else:
                state.check_whole()

        yield check


def _called(argv: tuple[str, ...]) -> tuple[int, str]:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict") for _ in range(2))
    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b"junk\n"))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = worker(argv[1:]) if argv[0] == "worker" else main(argv)
            except SystemExit as exit_:
                status = exit_.code if isinstance(exit_.code, int) else 1
    finally:
        sys.stdin = stdin
    err.flush()
    buffer: Any = err.buffer
    return status, buffer.getvalue().decode("utf-8", "replace")


def _restore_files(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name not in FILES and path.is_file():
            path.unlink()
    for name, data in FILES.items():
        if (folder / name).read_bytes() != data:
            (folder / name).write_bytes(data)


@contextmanager
def _processes(folder: Path) -> Iterator[Check]:
    """As processes, whose arguments are bytes of any kind."""
    with _room(folder) as state:

        def check(case: tuple[tuple[str, ...], bytes]) -> None:
            argv, raw = case
            program = [str(BIN / "jober"), *argv]
            words = [os.fsencode(word.encode("utf-8", "replace").decode()) for word in program]
            done = subprocess.run(
                [*words, *([raw] if raw else [])],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
            )
            _restore_files(folder)
            check_told(argv, done.returncode, done.stderr.decode("utf-8", "replace"))
            if done.returncode:
                state.check_unchanged(" ".join(argv))
            else:
                state.check_whole()

        yield check


RAW = st.just(b"") | st.binary(max_size=6).map(
    lambda raw: raw.replace(b"\0", b"").replace(b"/", b"").lstrip(b"-")
)
TARGETS = (
    Target(name="command lines", cases=5_000, few=50, given=lines() | worker_lines(), open=_here),
    Target(
        name="commands as processes",
        cases=150,
        few=4,
        given=st.tuples(lines() | worker_lines(), RAW),
        open=_processes,
    ),
)
