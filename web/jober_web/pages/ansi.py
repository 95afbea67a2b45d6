"""The colours that programs write into their output, as classes. Pure.

Of all that a terminal would obey, only colours and the weight of letters (SGR, ECMA-48) are read;
everything else that is no text is left out, so that nothing of it reaches a browser. What is no
UTF-8 is shown as such.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

# CSI, then OSC with its end, then what else begins with ESC, then single controls but tabs.
_SPECIAL = re.compile(
    r"\x1b\[([0-9:;<=>?]*)[ -/]*([@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
_WEIGHTS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
_LEVELS = (0, 95, 135, 175, 215, 255)


@dataclass(frozen=True, slots=True)
class Style:
    """How letters look from here on: colours from 0 to 15, and words for the rest."""

    fore: int | None = None
    back: int | None = None
    words: frozenset[str] = frozenset()

    @property
    def classes(self) -> str:
        """As the style sheet has them."""
        colours = ((f"f{self.fore}", self.fore), (f"k{self.back}", self.back))
        told = [name for name, colour in colours if colour is not None]
        return " ".join([*told, *sorted(self.words)])


PLAIN = Style()


def coloured(text: str, style: Style = PLAIN) -> tuple[Markup, Style]:
    """A line as HTML, and the style that the next line begins with."""
    pieces: list[Markup] = []
    for piece, look in _pieces(text, style):
        style = look
        if piece:
            shown = escape(piece)
            pieces.append(
                Markup('<span class="{}">{}</span>').format(look.classes, shown)
                if look != PLAIN
                else shown
            )
    return Markup("").join(pieces), style


def plain(text: str) -> str:
    """The text alone, as it is searched."""
    return _SPECIAL.sub("", _over_written(text))


def _over_written(text: str) -> str:
    """Of a line that a program has written several times over, the last; as a terminal ends up."""
    return text.rstrip("\r").rpartition("\r")[2]


def _pieces(text: str, style: Style) -> Iterator[tuple[str, Style]]:
    text, at = _over_written(text), 0
    for found in _SPECIAL.finditer(text):
        yield text[at : found.start()], style
        at = found.end()
        if found[2] == "m":
            style = _after(style, found[1])
    yield text[at:], style


def _after(style: Style, told: str) -> Style:
    """The style after a sequence such as `1;31`."""
    codes = [int(code) if code.isdecimal() else 0 for code in re.split("[;:]", told)[:32]]
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code in (38, 48):
            colour, taken = _extended(codes[at:])
            at += taken
            style = replace(style, fore=colour) if code == 38 else replace(style, back=colour)
        else:
            style = _after_one(style, code)
    return style


def _after_one(style: Style, code: int) -> Style:
    """The style after a code that stands for itself; the same after one that is not known."""
    if code == 0:
        return PLAIN
    if code in _WEIGHTS:
        return replace(style, words=style.words | {_WEIGHTS[code]})
    if code == 22:
        return replace(style, words=style.words - {"bold", "dim"})
    if code - 20 in _WEIGHTS:
        return replace(style, words=style.words - {_WEIGHTS[code - 20]})
    if 30 <= code <= 37 or 90 <= code <= 97:
        return replace(style, fore=code - 30 if code < 90 else code - 82)
    if 40 <= code <= 47 or 100 <= code <= 107:
        return replace(style, back=code - 40 if code < 100 else code - 92)
    if code == 39:
        return replace(style, fore=None)
    if code == 49:
        return replace(style, back=None)
    return style


def _extended(codes: list[int]) -> tuple[int | None, int]:
    """The nearest of the 16 colours to one of 256, or of all; and how many codes told of it."""
    if codes[:1] == [5] and len(codes) >= 2:
        number = codes[1]
        if number < 16:
            return number, 2
        if number < 232:
            cube = number - 16
            return _nearest(*(_LEVELS[cube // size % 6] for size in (36, 6, 1))), 2
        grey = 8 + (min(number, 255) - 232) * 10
        return _nearest(grey, grey, grey), 2
    if codes[:1] == [2] and len(codes) >= 4:
        return _nearest(*(min(one, 255) for one in codes[1:4])), 4
    return None, len(codes)


def _nearest(red: int, green: int, blue: int) -> int:
    """One of the 16 colours: which parts are there, and whether it is bright."""
    most = max(red, green, blue)
    if most < 48:
        return 0
    if max(red, green, blue) - min(red, green, blue) < 40:
        return 8 if most < 128 else 7 if most < 216 else 15
    parts = sum(bit for bit, part in ((1, red), (2, green), (4, blue)) if part > most * 0.6)
    return parts + (8 if most > 192 else 0)
