"""Whether a command line of ours is one that its own parser takes, without doing what it says."""

import argparse
import re
import shlex
from typing import Any
from unittest.mock import patch

from jober.cli import commands

_WORDS = {"jober", "jober-scheduler", "jober-web", "jober-worker"}
# What may stand before a command.
_BEFORE = {"!", "do", "else", "exec", "if", "sudo", "then", "until", "while"}


class _Taken(Exception):
    """It has been parsed."""


def commands_of(statement: str) -> list[list[str]]:
    """The words of each command of ours that a statement runs."""
    lexer = shlex.shlex(statement.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if set(word) <= set("|&;()"):
            found.append([])
        elif set(word) <= set("<>&"):
            # Where it goes is no word of the command; nor is a number before it.
            next(words)
        elif found[-1] or not (word in _BEFORE or re.match(r"[A-Za-z_]+=", word)):
            found[-1].append(word)
    return [words for words in found if words and words[0] in _WORDS]


def command_of(words: list[str]) -> str:
    """What comes after `jober`: `run`, or `import crontab`."""
    two = " ".join(words[1:3])
    return two if two in commands.COMMANDS else words[1]


def check_parsed(statement: str) -> None:
    """Raises where a command line of ours is wrong."""
    for words in commands_of(statement):
        _check(words)


def _check(words: list[str]) -> None:
    if words[0] != "jober":
        _by_argparse(commands.daemon(words[0].removeprefix("jober-")), words[1:])
        return
    name = command_of(words)
    rest = words[1 + len(name.split()) :]
    known = commands.ALIASES.get(name, name)
    if known not in commands.COMMANDS:
        _by_argparse(commands.daemon(known), rest)
    elif commands.COMMANDS[known].light:
        _by_argparse(commands.function(known), rest)
    else:
        commands.load(known).make_context(f"jober {name}", rest)


def _by_argparse(main: Any, arguments: list[str]) -> None:
    assert main is not None
    parse = argparse.ArgumentParser.parse_args

    def taken(*args: Any, **kwargs: Any) -> None:
        parse(*args, **kwargs)
        raise _Taken

    with patch.object(argparse.ArgumentParser, "parse_args", taken):
        try:
            main(arguments)
        except _Taken:
            return
    raise AssertionError(f"{arguments} were not parsed")
