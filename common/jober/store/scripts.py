"""The atomic actions: one Lua file each, sent by its hash, loaded where Redis lacks it.

A line `--#include NAME` takes in `lua/lib/NAME.lua`, so that what two scripts do is written once.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

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
    lines: list[str] = []
    for line in (_LUA / f"{name}.lua").read_text("utf-8").splitlines():
        if line.startswith(_INCLUDE):
            part = line.removeprefix(_INCLUDE).strip()
            lines += (_LUA / "lib" / f"{part}.lua").read_text("utf-8").splitlines()
        else:
            lines.append(line)
    text = "\n".join(lines)
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
