"""Whether what a run does is what was sealed, but for results of other runs in its arguments.

Both calls are walked side by side. All of them has to be equal, but where the template names a
result: by a whole argument, or in an argument that is JSON. What a program is told by options is as
`as_arguments` makes it: a result may repeat its option, and leave it out; a text for a shell ends
with such words, each quoted as `shlex.quote` does, so that no result becomes a part of the text.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from jober.job.payload import COMMAND, MODULE, SCRIPT, SHELL, compact
from jober.workflow.result import KEY

_OPTION = re.compile(r"--[\w-]+")
# A word as `shlex.quote` writes it, with the blank before it.
_QUOTED = r"""[\w@%+=:,./-]+|'[^']*'(?:"'"'[^']*')*"""
_WORD = re.compile(rf" ({_QUOTED})(?= |\Z)", re.ASCII)


def is_filled(template: bytes, data: bytes) -> bool:
    """Both are the JSON `[function, null, args, kwargs]` of a run."""
    try:
        before, after = json.loads(template), json.loads(data)
        function, nothing, args, _ = before
        other, nothing_too, others, _ = after
    except (ValueError, TypeError, RecursionError):
        return False
    if function != other or nothing is not None or nothing_too is not None:
        return False
    if not lacks_results(template):
        return False
    told, given = _program(function, args), _program(function, others)
    if told is None or given is None or before[3] or after[3]:
        return told is None and given is None and _is_same(before[2:], after[2:])
    return told[0] == given[0] and _are_same(told[1], given[1])


def lacks_results(data: bytes) -> bool:
    """Whether the call of a run names results that it has not been given."""
    if b"$result" not in data:
        return False
    try:
        function, _, args, kwargs = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        return False
    told = _program(function, args)
    return _names_result([args, kwargs] if told is None else told[1])


def _program(function: Any, args: Any) -> tuple[str, list[Any]] | None:
    """What is sealed of a program whatever its results are, and the words that may have some; None
    for a function, and for what is no call of a program."""
    match function, args:
        case (_, [list(words)]) if function == COMMAND:
            return "", words
        case (_, [str(name), list(words)]) if function in (MODULE, SCRIPT):
            return name, words
        case (_, [str(text)]) if function == SHELL:
            return _split_shell(text)
    return None


def _split_shell(text: str) -> tuple[str, list[Any]]:
    """A text for a shell, and the words that it ends with."""
    text = text.rstrip()
    at, end, words = 0, len(text), []
    while at < len(text):
        found = _WORD.match(text, at)
        if found:
            end = min(end, at)
            words.append(_unquoted(found[1]))
            at = found.end()
        else:
            end, words = len(text), []
            at = text.find(" ", at + 1)
            at = len(text) if at < 0 else at
    return text[:end], words


def _unquoted(word: str) -> str:
    return word[1:-1].replace("'\"'\"'", "'") if word.startswith("'") else word


def _names_result(value: Any) -> bool:
    """Whether a result is named in it, or in a text of it that is JSON."""
    if isinstance(value, str):
        read = _read(value)
        return read is not None and _names_result(read)
    if isinstance(value, dict):
        return _is_named(value) or _names_result(list(value.values()))
    return isinstance(value, list) and any(map(_names_result, value))


def _is_named(value: Any) -> bool:
    """Whether it is a result by its name, and nothing beside it."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(KEY), str)


def _read(text: str) -> Any:
    """The value of which an argument of a program is the JSON, where a result is named in it."""
    if KEY not in text:
        return None
    try:
        value = json.loads(text)
        return value if not isinstance(value, str) and compact(value) == text else None
    except (ValueError, RecursionError):
        return None


def _is_same(before: Any, after: Any) -> bool:
    """Whether two values are equal but for results, all of which are there."""
    if _is_named(before):
        return bool(after != before)
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(
            _is_same(value, after[name]) for name, value in before.items()
        )
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_is_same, before, after))
    return bool(before == after)


def _is_same_word(before: Any, after: Any) -> bool:
    """The same of a word that a program is told."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    told = _read(before)
    if told is None or not _names_result(told):
        return before == after
    if _is_named(told):
        return before != after
    try:
        return _is_same(told, json.loads(after))
    except (ValueError, RecursionError):
        return False


def _are_same(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """The same of all words. `reached` is how many of those after may stand for those before it."""
    reached, at = {0}, 0
    while at < len(before):
        option, told = before[at], before[at + 1 : at + 2]
        if _is_option(option) and told and isinstance(told[0], str) and _is_named(_read(told[0])):
            reached = _repeated(option, told[0], after, reached)
            at += 2
        else:
            reached = {
                one + 1 for one in reached if one < len(after) and _is_same_word(option, after[one])
            }
            at += 1
    return len(after) in reached


def _is_option(word: Any) -> bool:
    return isinstance(word, str) and _OPTION.fullmatch(word) is not None


def _repeated(option: str, named: str, after: Sequence[Any], reached: Iterable[int]) -> set[int]:
    """An option with a result: once for each value of a list, alone for True, not at all for None
    and False."""
    found, new = set(reached), list(reached)
    while new:
        one = new.pop()
        if one < len(after) and after[one] == option:
            ends = [one + 1]
            if one + 1 < len(after) and _is_same_word(named, after[one + 1]):
                ends.append(one + 2)
            new += [end for end in ends if end not in found]
            found.update(ends)
    return found
