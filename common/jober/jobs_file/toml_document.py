"""TOML, by tomllib, which tells no lines: they are looked up when there is something to tell."""

import re
import tomllib
from functools import cache, partial

from jober.jobs_file.document import Document, Place, SyntaxProblem

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\\]*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*\[\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
_LONG_TEXT = re.compile(r'"""|\'\'\'')


def load_toml(text: str) -> Document:
    """The document, or a SyntaxProblem."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = _AT.search(message)
        line = None
        if at:
            line = int(at[1]) if at[1] else text.count("\n") + (not text.endswith("\n"))
            message = message[: at.start()]
        raise SyntaxProblem(
            f"it is not TOML: {message[:1].lower()}{message[1:]}",
            line=line,
            mend=f"see column {at[2]}" if at and at[2] else None,
        ) from None
    except RecursionError:
        raise SyntaxProblem("it is nested too deeply", mend="a flatter value") from None
    except ValueError:  # Python reads no longer ones; tomllib and PyYAML let that through
        raise SyntaxProblem("an integer in it has thousands of digits", mend="quote it") from None
    return Document(tables=tables, lines=cache(partial(_lines, text)))


def _lines(text: str) -> dict[Place, int]:
    """The lines of headers and keys, as far as they can be told without parsing."""
    found: dict[Place, int] = {}
    table: Place = ()
    inside = ""  # the quotes of the long text that a line begins in
    for number, line in enumerate(text.split("\n"), 1):
        if not inside:
            if header := _HEADER.match(line):
                table = _parts(header[1])
                place = table
            elif key := _KEY.match(line):
                place = (*table, *_parts(key[1]))
            else:
                place = ()
            for length in range(1, len(place) + 1):
                found.setdefault(place[:length], number)
        for quotes in _LONG_TEXT.findall(line):
            inside = quotes if not inside else "" if quotes == inside else inside
    return found


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
