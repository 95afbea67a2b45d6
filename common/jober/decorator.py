"""`@job(cron="0 3 * * *")`: what a function says of itself, for `jober apply --module` to find.

Nothing is defined by it alone, and the function stays as it is; the modules of jobs are loaded on
every host that runs them, so nothing else is loaded for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# Where a function keeps what was said of it.
_ATTRIBUTE = "__jober_jobs__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One `@job` of a function: the name of the job, and its fields as they were given."""

    name: str
    fields: dict[str, Any]


def job(function: F | None = None, /, *, name: str | None = None, **fields: Any) -> Any:
    """Declare a job that calls the function: `fields` are those of a jobs file.

    The job is called as the function is, or `name`. Several, one above the other, are several jobs,
    and each wants a name of its own.

    >>> @job(cron="0 3 * * *", roles=["db"])
    ... def nightly(): ...
    """

    def declare(function: F) -> F:
        declared = Declared(name=name or function.__name__, fields=fields)
        setattr(function, _ATTRIBUTE, (declared, *declared_jobs(function)))
        return function

    return declare if function is None else declare(function)


def declared_jobs(function: object) -> tuple[Declared, ...]:
    """What was declared of a function, from the top; nothing of any other object."""
    # Of itself: a class tells what its base has, and a wrapper what it wraps.
    own = getattr(function, "__dict__", {}).get(_ATTRIBUTE, ())
    return own if isinstance(own, tuple) else ()
