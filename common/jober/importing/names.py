"""Names for jobs that have none: what a command is about, as a word.

The same text gives the same names: `certbot -q renew` is `certbot-renew`, and where a name
is taken already, more words of the command are added, then a number.
"""

import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count

from jober.ids import check_job_name

_LENGTH = 60
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPERATOR = re.compile(r"[;&|()]+")
_REDIRECT = re.compile(r"[<>&|]*[<>][<>&|]*")
_ENDING = re.compile(r"\.(sh|bash|py|pl|rb|php|js|cron)$")
_TELLING = re.compile(r"[A-Za-z][\w.@:+-]*")
_KEYWORDS = frozenset({"if", "then", "else", "elif", "while", "do", "!", "{", "time", "exec"})
# These only prepare what the line is about.
_PREPARING = frozenset(
    "cd test [ [[ sleep export set umask ulimit . source true : echo fi done }".split()
)
# Programs that run another one: their options that take a value, and how many words come first.
_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    "nice": (frozenset({"-n"}), 0),
    "ionice": (frozenset({"-c", "-n"}), 0),
    "timeout": (frozenset({"-s", "-k"}), 1),
    "flock": (frozenset({"-w", "-E"}), 1),
    "env": (frozenset({"-u", "-C"}), 0),
    "sudo": (frozenset({"-u", "-g"}), 0),
    "chrt": (frozenset(), 1),
    **{name: (frozenset(), 0) for name in ("nohup", "setsid", "chronic", "cronic", "command")},
}
_INTERPRETERS = re.compile(r"(sh|bash|dash|ksh|zsh|python[\d.]*|perl|ruby|php[\d.]*|node)")


class Names:
    """Hands out names, each once."""

    def __init__(self, prefix: str = "") -> None:
        check_job_name(f"{prefix}a")
        self._prefix = prefix
        self._taken: set[str] = set()

    def take(self, candidates: Iterable[str]) -> str:
        """The first candidate that is free, else the first of all with a number."""
        slugs = [slug(one) for one in candidates]
        slugs = [one for one in slugs if one] or ["job"]
        numbered = (f"{slugs[0]}-{number}" for number in count(2))
        for name in map(self._prefix.__add__, chain(slugs, numbered)):
            if name not in self._taken:
                self._taken.add(name)
                return check_job_name(name)
        raise AssertionError("the numbers have no end")


def slug(text: str) -> str:
    """Letters, digits and hyphens of the text.

    >>> slug("Sauvegarde_été.sh")
    'sauvegarde-ete-sh'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:_LENGTH].strip("-")


def command_names(command: str) -> Iterator[str]:
    """Names for a shell command, the best one first.

    >>> list(command_names("cd /srv && nice -n 5 ./backup.sh --all db1 db2 >/dev/null 2>&1"))
    ['backup-db1', 'backup-db1-db2']
    """
    program, words = _subject(command)
    name = slug(_word(program))
    telling = [_word(word) for word in words if _TELLING.fullmatch(_word(word))]
    if not telling:
        yield name
    for number in range(1, len(telling) + 1):
        yield "-".join([name, *map(slug, telling[:number])])


def _word(text: str) -> str:
    return _ENDING.sub("", text.rstrip("/").rpartition("/")[2])


def _subject(command: str) -> tuple[str, list[str]]:
    """The program that a command is about, and its arguments without options."""
    found: list[tuple[str, list[str]]] = []
    for words in _parts(command):
        words = _unwrapped(words)
        if not words:
            continue
        program, rest = words[0], words[1:]
        if _INTERPRETERS.fullmatch(_word(program)) and rest:
            if rest[0] == "-c" and len(rest) > 1 and len(rest[1]) < len(command):
                return _subject(rest[1])
            rest = [word for word in rest if not word.startswith("-")] or rest
            program, rest = rest[0], rest[1:]
        arguments = [word for word in rest if not word.startswith("-")]
        if _word(program) not in _PREPARING:
            return program, arguments
        found.append((program, arguments))
    return found[0] if found else ("job", [])


def _parts(command: str) -> Iterator[list[str]]:
    """The words of each command of a line, up to its first redirection."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        tokens = list(lexer)
    except ValueError:
        tokens = re.split(r"\s+|([;&|()]+)", command)
        tokens = [token for token in tokens if token]
    words: list[str] = []
    redirected = False
    for token in tokens:
        if _REDIRECT.fullmatch(token):
            if words and words[-1].isdigit():
                words.pop()
            redirected = True
        elif _OPERATOR.fullmatch(token):
            yield words
            words, redirected = [], False
        elif not redirected:
            words.append(token)
    yield words


def _unwrapped(words: Sequence[str]) -> list[str]:
    """The words without assignments, keywords and programs that only run another one."""
    left = list(words)
    while left:
        if _ASSIGNMENT.match(left[0]) or left[0] in _KEYWORDS:
            left.pop(0)
            continue
        program = _word(left[0])
        if program == "command" and left[1:2] == ["-v"]:
            return []
        if program not in _WRAPPERS or len(left) == 1:
            break
        valued, first = _WRAPPERS[program]
        rest = left[1:]
        while rest and rest[0].startswith("-"):
            del rest[: 2 if rest[0] in valued else 1]
        rest = rest[first:]
        if not rest:
            break
        left = rest
    return left
