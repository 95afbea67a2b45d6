r"""Command lines of systemd.service(5): their words, and how a shell says the same.

Quotes and C escapes are undone first, then specifiers (`%n`), then variables: `${X}` within a
word, `$X` as a word of its own that may become several, `$$` for a dollar. No shell is at work
there, so what goes to one is quoted.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from jober.errors import DefinitionError

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "s": " ",
}  # fmt: skip
_CODED = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})")
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_]\w*)\}|\$\{")
_WORD_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecCommand:
    """One command of an Exec line. `may_fail`: its `-`, that a failure of it is none.

    `expands`: its variables are put in; `:` takes that away.
    """

    words: tuple[str, ...]
    may_fail: bool
    expands: bool


def read_exec(text: str, specifiers: Mapping[str, str]) -> list[ExecCommand]:
    """The commands of an Exec line. DefinitionError for what is wrong, or has no place in a job."""
    commands: list[ExecCommand] = []
    words: list[str] = []
    for word in [*split_words(text), None]:
        if word is not None and word != ";":
            words.append(";" if word == "\\;" else word)
        elif words:
            commands.append(_command(words, specifiers))
            words = []
    if not commands:
        raise DefinitionError("it runs nothing", mend="name a program")
    return commands


def as_argv(command: ExecCommand, env: Mapping[str, str]) -> list[str] | None:
    """The words to run, with all variables put in; None where one is not known here."""
    argv = [command.words[0]]
    for word in command.words[1:]:
        alone = _WORD_VARIABLE.fullmatch(word)
        if not command.expands:
            argv.append(word)
        elif alone:
            if alone[1] not in env:
                return None
            argv += _split_value(env[alone[1]])
        else:
            if any(kind and name not in env for kind, name in _pieces(word)):
                return None
            argv.append("".join(env[name] if kind else name for kind, name in _pieces(word)))
    return argv


def as_shell(command: ExecCommand, env: Mapping[str, str]) -> str:
    """The same as text of a shell, which puts in at the run what is not known here."""
    texts = [shlex.quote(command.words[0])]
    for word in command.words[1:]:
        alone = _WORD_VARIABLE.fullmatch(word)
        if not command.expands:
            texts.append(shlex.quote(word))
        elif alone:
            if alone[1] not in env:
                raise DefinitionError(
                    f"${alone[1]} becomes any number of words, and its value is not known here",
                    mend=f"write ${{{alone[1]}}}, or set it by Environment=",
                )
            texts += map(shlex.quote, _split_value(env[alone[1]]))
        else:
            texts.append(_quoted_word(word, env))
    return " ".join(texts)


def variables(command: ExecCommand) -> set[str]:
    """The variables that its words name."""
    if not command.expands:
        return set()
    found: set[str] = set()
    for word in command.words[1:]:
        alone = _WORD_VARIABLE.fullmatch(word)
        found.update(
            {alone[1]} if alone else {name for is_variable, name in _pieces(word) if is_variable}
        )
    return found


def split_words(text: str) -> list[str]:
    """The words of a line, quotes and escapes undone. A bare `\\;` stays as it is.

    >>> split_words("a 'b c' d e")
    ['a', 'b c', 'd', 'e']
    """
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == "\\":
            if text[place : place + 2] == "\\;" and word is None and not quote:
                word, place = ["\\;"], place + 2
                continue
            escaped, place = _unescaped(text, place + 1)
            word = word or []
            word.append(escaped)
            continue
        if quote and letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote, word = letter, word or []
        elif not quote and letter in " \t\n\r":
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(letter)
        place += 1
    if quote:
        raise DefinitionError(f"a {quote} is never closed", mend=f"close it with {quote}")
    if word is not None:
        words.append("".join(word))
    return words


def with_specifiers(text: str, specifiers: Mapping[str, str]) -> str:
    """`%n` and its kin put in, `%%` as a percent sign. DefinitionError for one that depends on
    the host, or is none."""

    def one(found: re.Match[str]) -> str:
        if found[1] == "%":
            return "%"
        if found[1] not in specifiers:
            raise DefinitionError(
                f"'{found[0]}' is known only to systemd, on the host itself",
                mend="write out what it stands for, or %% for a percent sign",
            )
        return specifiers[found[1]]

    return re.sub(r"%(.?)", one, text)


def _command(words: Sequence[str], specifiers: Mapping[str, str]) -> ExecCommand:
    program = words[0].lstrip("-@:+!|")
    prefixes = words[0][: len(words[0]) - len(program)]
    for prefix, meaning in (
        ("@", "gives the program another name for itself"),
        ("+", "runs with all privileges"),
        ("!", "runs with other privileges"),
        ("|", "runs by the user's shell"),
    ):
        if prefix in prefixes:
            _refuse_prefix(prefix, meaning)
    if not program:
        raise DefinitionError(f"'{words[0]}' names no program", mend="name one, without a blank")
    return ExecCommand(
        words=tuple(with_specifiers(word, specifiers) for word in (program, *words[1:])),
        may_fail="-" in prefixes,
        expands=":" not in prefixes,
    )


def _refuse_prefix(prefix: str, meaning: str) -> NoReturn:
    raise DefinitionError(
        f"the prefix '{prefix}' {meaning}; all of a job runs as one user",
        mend="take it out where that makes no difference, or call a script",
    )


def _unescaped(text: str, place: int) -> tuple[str, int]:
    """What the escape at `place` (after its backslash) stands for, and the place behind it."""
    if place >= len(text):
        raise DefinitionError("it ends in a backslash", mend="take it out, or write \\\\")
    if text[place] in _ESCAPES:
        return _ESCAPES[text[place]], place + 1
    coded = _CODED.match(text, place)
    if coded is None:
        raise DefinitionError(
            f"'\\{text[place]}' is no escape of systemd", mend="write \\\\ for a backslash"
        )
    code = int(coded[4], 8) if coded[4] else int(coded[1] or coded[2] or coded[3], 16)
    if (
        not 0 < code < 0x110000
        or 0xD800 <= code < 0xE000
        or (code > 127 and coded[0][0] not in "uU")
    ):
        raise DefinitionError(f"'\\{coded[0]}' is no character", mend="write it as \\uXXXX")
    return chr(code), coded.end()


def _pieces(word: str) -> list[tuple[bool, str]]:
    """The parts of a word: (True, name of a variable) and (False, text)."""
    found: list[tuple[bool, str]] = []
    place = 0
    for match in _VARIABLE.finditer(word):
        found.append((False, word[place : match.start()]))
        if match[0] == "${":
            raise DefinitionError(
                f"'{word}' holds a ${{ that names no variable", mend="write ${NAME}, or $$ for a $"
            )
        found.append((True, match[1]) if match[1] else (False, "$"))
        place = match.end()
    return [*found, (False, word[place:])]


def _quoted_word(word: str, env: Mapping[str, str]) -> str:
    text, result = "", ""
    for is_variable, name in _pieces(word):
        if not is_variable or name in env:
            text += env[name] if is_variable else name
            continue
        result += (shlex.quote(text) if text else "") + f'"${{{name}}}"'
        text = ""
    return result + (shlex.quote(text) if text or not result else "")


def _split_value(value: str) -> list[str]:
    """A value as words: quotes in it count, as for systemd."""
    if "\\" in value:
        raise DefinitionError(
            f"a variable of the value '{value}' stands as words of its own", mend="write ${NAME}"
        )
    return split_words(value)
