"""What makes the asynchronous twin of a class: each of its calls is one of the class itself, with
its signature, its checks and its words, made in a thread.

    class AsyncRun(Twin[RunHandle]):
        cancel = awaited(RunHandle.cancel)      # await run.cancel("enough")
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from jober.client.threads import Threads

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
Self_ = TypeVar("Self_")


class Twin(Generic[S_co]):
    """The twin of `sync`."""

    def __init__(self, sync: S_co, threads: Threads) -> None:
        self._sync = sync
        self._threads = threads


class awaited(Generic[S, P, R]):
    """A call that answers soon, or, where it `waits`, does not."""

    def __init__(self, call: Callable[Concatenate[S, P], R], *, waits: bool = False) -> None:
        self._call = call
        self._waits = waits
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, twin: None, owner: object = None) -> "awaited[S, P, R]": ...

    @overload
    def __get__(
        self, twin: Twin[S], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, R]]: ...

    def __get__(self, twin: Twin[S] | None, owner: object = None) -> Any:
        if twin is None:
            return self
        own = twin

        @wraps(self._call)
        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            made = own._threads.wait if self._waits else own._threads.call
            return await made(lambda: self._call(own._sync, *args, **kwargs))

        return call


class turned(Generic[S, P, R, A]):
    """A call that answers soon, with what has a twin too: `turn` makes it."""

    def __init__(
        self, call: Callable[Concatenate[S, P], R], turn: Callable[[R, Threads], A]
    ) -> None:
        self._call = call
        self._turn = turn
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, twin: None, owner: object = None) -> "turned[S, P, R, A]": ...

    @overload
    def __get__(
        self, twin: Twin[S], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, A]]: ...

    def __get__(self, twin: Twin[S] | None, owner: object = None) -> Any:
        if twin is None:
            return self
        own = twin

        @wraps(self._call)
        async def call(*args: P.args, **kwargs: P.kwargs) -> A:
            answer = await own._threads.call(lambda: self._call(own._sync, *args, **kwargs))
            return self._turn(answer, own._threads)

        return call


class iterated(Generic[S, P, R]):
    """A call that yields: `async for`."""

    def __init__(self, call: Callable[Concatenate[S, P], Iterator[R]]) -> None:
        self._call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, twin: None, owner: object = None) -> "iterated[S, P, R]": ...

    @overload
    def __get__(self, twin: Twin[S], owner: object = None) -> Callable[P, AsyncIterator[R]]: ...

    def __get__(self, twin: Twin[S] | None, owner: object = None) -> Any:
        if twin is None:
            return self
        own = twin

        @wraps(self._call)
        def call(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
            return own._threads.iterate(lambda: self._call(own._sync, *args, **kwargs))

        return call


class asked(Generic[S, R]):
    """A property that asks Redis: `await run.state`."""

    def __init__(self, of: type[S], ask: Callable[[S], R]) -> None:
        self._ask = ask

    @overload
    def __get__(self, twin: None, owner: object = None) -> "asked[S, R]": ...

    @overload
    def __get__(self, twin: Twin[S], owner: object = None) -> Coroutine[Any, Any, R]: ...

    def __get__(self, twin: Twin[S] | None, owner: object = None) -> Any:
        if twin is None:
            return self
        own = twin
        return own._threads.call(lambda: self._ask(own._sync))
