"""How commands are found, and what a wrong call is told."""

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest

from jober import __version__
from jober.cli import commands, main
from jober.cli.commands import COMMANDS
from jober.embedded import RedisServer
from tests.cli.conftest import Cli
from tests.fleet import BIN

WITHOUT_REDIS = {
    "key new",
    "key public",
    "key list",
    *("dev", "version", "simulate", "import crontab", "import systemd"),
    *("takeover", "takeover shadow"),
    *(name for name, command in COMMANDS.items() if command.light),
}


def test_help_lists_every_command_and_daemon_and_loads_nothing() -> None:
    code = "import sys; from jober.cli import main; main(['--help']); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    help, _, modules = told.stdout.rpartition("\n  ")
    for name in (*COMMANDS, "scheduler", "worker"):
        assert f"\n  {name} " in help
    assert not {"typer", "redis", "rich", "pydantic"} & set(modules.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_what_it_does_with_an_example(name: str, cli: Cli) -> None:
    done = cli(name, "--help")
    assert done.status == 0
    assert done.text.startswith(f"Usage: jober {name}")
    # The first words of its docstring.
    assert f"\n  {COMMANDS[name].help.rstrip('.')}" in done.text
    assert f"\n    jober {name}" in done.text or name == "version"
    assert all(len(line) <= 80 for line in done.text.splitlines())


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.plain])
def test_a_plain_call_says_what_it_says_when_typer_reads_it(
    name: str, cli: Cli, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in ([], ["--json"], ["--json", "--redis", redis_server.url]):
        assert commands.plain_call(name, options) is not None
        plain = cli(name, *options)
        with monkeypatch.context() as patch:
            patch.setattr(commands, "plain_call", lambda *_: None)
            assert cli(name, *options) == plain
    for options in (["--help"], ["--redis"], ["--redis", "--json"], ["x"], ["--redis=x"]):
        assert commands.plain_call(name, options) is None


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WITHOUT_REDIS])
def test_every_command_that_asks_redis_can_be_told_where_it_is(name: str, cli: Cli) -> None:
    assert "--redis URL" in cli(name, "--help").text


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("version").text == cli("--version").text == f"jober {__version__}\n"


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (["jbos"], "no such command 'jbos', did you mean 'jobs'?"),
        (["--redis", "x", "jobs"], "options such as '--redis' stand after the command"),
        (["show"], "missing argument 'NAME|RUN' (see 'jober show --help')"),
        (["jobs", "--jsn"], "no such option"),
        (["runs", "-n", "0"], "invalid value for '-n'"),
        (["runs", "--state", "good"], "'good' is not one of 'waiting'"),
        (["next"], "give the name of a job, or --cron EXPR"),
        (["next", "x", "--timezone", "UTC"], "--timezone goes with --cron"),
        (["logs", "x", "--head", "1", "--tail", "1"], "--head and --tail exclude each other"),
        (["run", "x", "--arg", "text"], """'text' is not JSON; text is written '"text"'"""),
        (["run", "x", "--kwarg", "text"], "'text' is not KEY=JSON"),
        (["run", "x", "--json", "--follow"], "leave --json out"),
    ],
)
def test_a_wrong_call_is_told_in_one_line_with_status_2(
    call: Sequence[str], problem: str, cli: Cli
) -> None:
    done = cli(*call)
    assert done.status == 2
    assert done.err.startswith("jober: ") and done.err.count("\n") == 1
    assert problem in done.err
    assert not done.out


def test_jober_alone_prints_its_help_with_status_2(cli: Cli) -> None:
    assert cli().status == 2
    assert cli("help", "runs").text == cli("runs", "--help").text


@pytest.mark.parametrize(
    "call", [["jobs"], ["apply", "examples/fleet.toml"], ["run", "x"], ["events", "-f"]]
)
def test_an_absent_redis_is_told_in_one_line_with_status_1(call: list[str], cli: Cli) -> None:
    done = cli(*call, "--redis", "redis://:secret@127.0.0.1:1/0")
    assert done.status == 1
    assert done.err.startswith("jober: Redis at redis://***@127.0.0.1:1/0: ")
    assert done.err.count("\n") == 1


def test_a_bug_is_told_in_one_line_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> object:
        raise RuntimeError("one\ntwo")

    monkeypatch.setattr(commands, "function", broken)
    done = cli("jobs")
    assert (done.status, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("jober: RuntimeError: one two")


def test_ctrl_c_has_a_status_and_no_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "function", interrupted)
    done = cli("jobs")
    assert (done.status, done.err) == (130, "")


def test_daemons_get_all_their_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[Sequence[str]] = []
    monkeypatch.setattr(commands, "daemon", lambda name: got.append)
    assert main(["worker", "--roles", "a", "--help"]) == 0
    assert got == [["--roles", "a", "--help"]]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_told_in_a_line(unbuffered: str) -> None:
    with open("/dev/full", "wb") as full:
        told = subprocess.run(
            [BIN / "jober", "next", "--cron", "@daily"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert told.returncode == 1
    assert told.stderr == (
        "jober: what it prints cannot be written: No space left on device (make room there)\n"
    )


def test_a_stdout_that_is_closed_leads_nowhere() -> None:
    command = f"{BIN}/jober next --cron @daily >&-; echo $? && {BIN}/jober nonsense 2>&-; echo $?"
    told = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (told.stdout, told.stderr) == ("0\n2\n", "")


def test_a_pipe_that_closes_is_no_error_to_talk_about() -> None:
    command = f"{BIN}/jober version | true; echo ${{PIPESTATUS[0]}}"
    # The reader may be gone before the line comes, or after.
    for _ in range(3):
        told = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, env=os.environ
        )
        assert told.stderr == ""
        assert told.stdout.strip() in ("0", "141")
