"""Whether what a run does is what was sealed, but for results of other runs in its arguments."""

import json
import re
from typing import Any

# What a program is told has to be the same up to the first option, or argument, with a result.
_MARK = re.compile(r"""(\s--[\w-]+)?\s*'?\{"\$result\"""")


def is_filled(template: bytes, data: bytes) -> bool:
    """Both are the JSON `[function, null, args, kwargs]` of a run."""
    try:
        name, _, args, _ = json.loads(template)
        other, nothing, others, keywords = json.loads(data)
    except (ValueError, TypeError):
        return False
    if b"$result" not in template or name != other or nothing is not None:
        return False
    if not isinstance(others, list) or not isinstance(keywords, dict):
        return False
    if not name.startswith("jober_worker.functions."):
        return True  # a function, whose arguments they are
    if not args or not others or keywords:
        return False
    return bool(_program_of(args[0]) == _program_of(others[0], args[0]))


def _program_of(told: Any, sealed: Any = None) -> Any:
    """What is run, of the first thing that a program is told: a command line, a text for a shell,
    the name of a module or file."""
    if isinstance(told, list):
        return told[:1]
    text = sealed if isinstance(sealed, str) else told
    fixed = _MARK.split(text, maxsplit=1)[0] if isinstance(text, str) else None
    return fixed if fixed is None or not isinstance(told, str) else told[: len(fixed)]
