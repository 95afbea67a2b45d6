"""What a wait for a run is to wait for. Pure."""

from collections.abc import Callable, Iterable
from typing import Any

from jober.errors import DefinitionError, did_you_mean
from jober.run import Run, RunState

# A state, several of them, or what a record is asked.
Until = str | Iterable[str] | Callable[[Run], bool]


def read_until(until: Until) -> Callable[[Run], bool]:
    """Whether a record is what is waited for. Raises DefinitionError."""
    if callable(until):
        return until
    several = isinstance(until, Iterable) and not isinstance(until, str)
    words: list[Any] = list(until) if several else [until]
    for word in words:
        if not isinstance(word, str) or word not in set(RunState):
            near = did_you_mean(word, RunState) if isinstance(word, str) else ""
            raise DefinitionError(
                f"{str(word)[:60]!r} is no state of a run{near}",
                field="until",
                value=word,
                mend="until='running', several of them in a list, or a function of its record",
            )
    states = {RunState(word) for word in words}
    return lambda run: run.state in states
