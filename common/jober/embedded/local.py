"""Functions that only this program has: each has a name here, by which an agent in this very
program finds it, as it would find any other.

    from jober.embedded import local
    name = local.add(lambda: 42)        # "jober.embedded.local:f1"
"""

import itertools
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

# Of so many functions the oldest are let go of, where no run of theirs goes on.
KEPT = 1000

_lock = threading.Lock()
_numbers = itertools.count(1)
_functions: dict[str, Callable[..., Any]] = {}
# Those that were run once, in the order in which they were added: the run of each.
_runs: dict[str, str] = {}


def add(function: Callable[..., Any]) -> str:
    """A name for it, as of any function: `module:name`."""
    with _lock:
        name = f"f{next(_numbers)}"
        _functions[name] = function
    return f"{__name__}:{name}"


def once(call: str, run: str, ended: Callable[[Collection[str]], Iterable[str]]) -> None:
    """The function of that name is there for one run. Where there are many such, those are let go
    of whose runs have ended, as `ended` tells of the oldest."""
    with _lock:
        _runs[call.partition(":")[2]] = run
        if len(_runs) <= KEPT:
            return
        oldest = dict(itertools.islice(_runs.items(), KEPT // 2))
    over = set(ended(set(oldest.values())))
    with _lock:
        for name, its_run in oldest.items():
            if its_run in over:
                _runs.pop(name, None)
                _functions.pop(name, None)


def __getattr__(name: str) -> Callable[..., Any]:
    with _lock:
        if name in _functions:
            return _functions[name]
    raise AttributeError(f"the program that had '{name}' has it no more")
