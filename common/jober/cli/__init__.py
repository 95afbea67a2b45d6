"""The command line: `jober COMMAND …`.

`main` finds the command and turns what goes wrong into one line and an exit status; `commands`
lists what there is, without loading any of it; then one noun a file. `words`, `table` and
`terminal` are how things are shown. `dev` is a whole fleet in one terminal.
"""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from jober.cli import commands
from jober.cli.say import say, say_wrong_call

# What a shell shows for a program that was interrupted, or lost the reader of its pipe.
INTERRUPTED = 130
PIPE_CLOSED = 141
# Where stdout is a file, and its disk is full or broken.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status: 0, 1 where it failed, 2 where it was called wrongly."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_what_is_closed()
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, commands.PipeClosed):
        _give_up_stdout()
        return PIPE_CLOSED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            _give_up_stdout()
            return say(f"what it prints cannot be written: {error.strerror} (make room there)", 1)
        return _told(error)


def _open_what_is_closed() -> None:
    """A stream that the caller has closed (`>&-`) leads nowhere; no socket is to get its number."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def _give_up_stdout() -> None:
    """Whatever is still to be flushed at the end has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        if arguments[1:] and arguments[0] == "help":
            return _run([*arguments[1:], "--help"])
        sys.stdout.write(commands.help_text())
        return 0 if arguments else 2
    name, *rest = arguments
    if name == "--version":
        name = "version"
    name = commands.ALIASES.get(name, name)
    if rest and f"{name} {rest[0]}" in commands.COMMANDS:
        name, rest = f"{name} {rest[0]}", rest[1:]
    if name in commands.COMMANDS:
        return _light(name, rest) if commands.COMMANDS[name].light else _command(name, rest)
    if daemon := commands.daemon(name):
        sys.argv = [f"jober {name}", *rest]
        return int(daemon(rest) or 0)
    if longer := [known for known in commands.COMMANDS if known.startswith(f"{name} ")]:
        return say(f"say what to {name}: {' or '.join(longer)} (see 'jober {longer[0]} --help')", 2)
    from jober.errors import did_you_mean

    near = did_you_mean(name, [*commands.COMMANDS, *commands.daemons()])
    if name.startswith("-"):
        return say(f"options such as '{name}' stand after the command (see 'jober --help')", 2)
    return say(f"no such command '{name}'{near} (see 'jober --help')", 2)


def _command(name: str, arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A letter that the terminal cannot show must not end a command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # What is loaded stays, so there is nothing to collect among it: a tenth of the start.
    gc.disable()
    plain = commands.plain_call(name, arguments)
    if plain is not None:
        # pytz else opens each of its six hundred files before it reads one. No child inherits it.
        os.environ.setdefault("PYTZ_SKIPEXISTSCHECK", "1")
        call = partial(commands.function(name), **plain)
    else:
        call = partial(_as_typer_reads_it, name, commands.load(name), arguments)
    gc.freeze()
    gc.enable()
    from jober.cli.options import WrongCall

    try:
        status: Any = call()
    except WrongCall as error:
        return say_wrong_call(name, str(error))
    return status if isinstance(status, int) else 0


def _as_typer_reads_it(name: str, command: Any, arguments: list[str]) -> Any:
    import typer

    try:
        return command.main(args=arguments, prog_name=f"jober {name}", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.Exit as done:
        return done.exit_code
    except Exception as error:
        # typer's public name for any wrong call is the base of BadParameter.
        if isinstance(error, typer.BadParameter.__bases__[0]):
            problem = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
            problem = problem[:1].lower() + problem[1:].replace("Value error, ", "")
            return say_wrong_call(name, problem)
        raise


def _light(name: str, arguments: list[str]) -> int:
    try:
        return int(commands.function(name)(arguments))
    except SystemExit as exit_:
        # argparse has printed what there is to say.
        return exit_.code if isinstance(exit_.code, int) else 1


def _told(error: Exception) -> int:
    """One line on stderr for each thing that is wrong, and exit status 1."""
    from jober.errors import JoberError

    if isinstance(error, JoberError):
        for line in str(error).splitlines():
            say(line, 1)
        return 1
    if os.environ.get("JOBER_DEBUG"):
        raise error
    what = f"{type(error).__name__}: {error}".replace("\n", " ")
    return say(f"{what} (a bug of jober; JOBER_DEBUG=1 shows where)", 1)
