"""Whether a call that waits is to give up: nobody is there any more who waits for its answer.

A task of asyncio can be cancelled, and a thread that waits on its behalf cannot: it looks here, as
often as the store tells it that nothing has come, which is once a second.
"""

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from jober.errors import JoberError

T = TypeVar("T")

is_given_up: ContextVar[Callable[[], bool] | None] = ContextVar("jober_given_up", default=None)


class GivenUp(JoberError):
    """Nobody waits for this any more."""

    def __init__(self) -> None:
        super().__init__("nobody waits for this any more")


def patiently(told: Iterable[T]) -> Iterator[T]:
    """The same, until it is given up. Raises GivenUp."""
    ask = is_given_up.get()
    for one in told:
        if ask is not None and ask():
            raise GivenUp
        yield one
