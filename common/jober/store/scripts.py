"""The atomic actions: one Lua file each, sent by its hash, loaded where Redis lacks it.

A line `--#include NAME` takes in `lua/lib/NAME.lua`, so that what two scripts do is written
once; it stands once in a script, however many of its parts ask for it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_LUA = files("jober.store") / "lua"
_INCLUDE = "--#include "


@dataclass(frozen=True, slots=True)
class Script:
    """The text of an action and the SHA-1 that Redis knows it by."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """The script of `lua/<name>.lua`."""
    text = "\n".join(_lines(_LUA / f"{name}.lua", set()))
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _lines(file: Traversable, taken: set[str]) -> Iterator[str]:
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith(_INCLUDE):
            yield line
        elif (part := line.removeprefix(_INCLUDE).strip()) not in taken:
            taken.add(part)
            yield from _lines(_LUA / "lib" / f"{part}.lua", taken)
