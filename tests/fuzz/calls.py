"""Calls of `Jober` with anything as arguments: done, or refused in words with nothing changed."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jober import Jober
from jober.client import RunHandle
from jober.errors import JoberError
from jober.job import KNOWN_FIELDS
from jober.job_filter import JobFilter
from tests.fuzz.anything import VALUE, anything_near
from tests.fuzz.seeded import HOST, JOBS, RUNS, seeded
from tests.fuzz.target import Check, Target
from tests.test_job_anything import GOOD_JOBS

# Those that have no business with arguments, or give what another one takes.
_NOT_FUZZED = {
    "batch",
    "close",
    "schedule",
    "on",
    "events",
    "carry_out",
    "definition_of",
    "find_jobs",
    "redefined",
    "hosts_for",
}
# What each argument is where it is right; any value may stand in its place.
_RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from([*JOBS, "database", "absent", "new"]),
    "id": st.sampled_from([*RUNS, "absent-m1"]),
    "shell": st.booleans(),
    "process": st.booleans() | st.none(),
    "retries": st.integers(-1, 9) | st.none(),
    "env": st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2) | st.none(),
    "cwd": st.text(max_size=4) | st.none(),
    "detach": st.booleans() | st.none(),
    "append": st.booleans(),
    "until": st.sampled_from(["running", "success", ""]),
    "ids": st.lists(st.sampled_from(RUNS), max_size=3),
    "host": st.sampled_from([HOST, "absent"]) | st.none(),
    "args": st.lists(VALUE, max_size=3),
    "kwargs": st.dictionaries(st.text(max_size=4), VALUE, max_size=3),
    "expires": st.floats(0, 1e6) | st.none(),
    "slots": st.integers(-1, 9),
    "limit": st.integers(-2, 200),
    "after": st.sampled_from(RUNS) | st.none(),
    "at_ms": st.integers(-(10**15), 10**15),
    "reason": st.text(max_size=9),
    "roles": st.lists(anything_near(("db", "a.b")), max_size=3) | st.none(),
    "file": st.sampled_from(["absent.toml", ".", ""]),
    "prune": st.booleans(),
    "force": st.booleans(),
    "with_needs": st.booleans(),
    "with_dependents": st.booleans(),
    "modules": st.lists(st.sampled_from(["absent", "json", ""]), max_size=2),
    "what": st.sampled_from([*JOBS, "new", "df -h", "a.b:c", "./x.py", len, None])
    | st.lists(st.text(max_size=4), max_size=3),
    "conf": st.dictionaries(st.sampled_from(["func", "every", "x"]), VALUE, max_size=3) | st.none(),
    "url": st.just("sqlite://") | st.text(max_size=6),
    "state": st.sampled_from(["failed", "none"]) | st.none(),
    "since": st.sampled_from(["2h", "2026-11-21", "soon"]) | st.none(),
    "tag": st.sampled_from(["db", ""]) | st.none(),
    "older_than": st.sampled_from([0, "1d", "", -1]),
    "keep_runs": st.sampled_from(["1d", "x"]) | st.none(),
    "keep_output": st.sampled_from(["1d", "x"]) | st.none(),
    "keep_logs": st.dictionaries(st.sampled_from(["info", "x"]), VALUE, max_size=2) | st.none(),
    "timeout": st.sampled_from([0, 0.0, -1]),
    "wanted": st.just(JobFilter()) | st.none(),
    "n": st.integers(-1, 50),
    "hours": st.sampled_from([1, 24.0, -1]),
    "names": st.lists(st.sampled_from([*JOBS, "absent"]), max_size=3),
    "lost": st.booleans(),
    "before": st.sampled_from(["0-1", "1763700000000-0", "x"]) | st.none(),
    "types": st.sampled_from(["job.added", "run.*", "error", "none"]),
    "revision": st.integers(-1, 3) | st.none(),
    "fields": st.dictionaries(st.sampled_from(["command", "every", "x"]), VALUE, max_size=3),
    "spec": st.lists(st.sampled_from(["12-25", "2026-11-21", "x"]), max_size=3),
    "idempotency_key": st.text(max_size=3) | st.none(),
    "stream": st.sampled_from(["stdout", "stderr"]) | st.none(),
    "whole": st.just(False),
}
# Waiting for what never comes, asking agents that are none, and calling what is given as a function
# of the caller's, is no call of a fuzz.
_ONLY_RIGHT = ("timeout", "whole", "until")


def _methods(of: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(of, inspect.isfunction)
        if not name.startswith("_") and name not in _NOT_FUZZED
    }


_JOBER, _HANDLE = _methods(Jober), _methods(RunHandle)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[Any], dict[str, Any]]:
    """A method, the positional arguments and those by name, in numbers that it takes."""
    name = draw(st.sampled_from([*sorted(_JOBER), *(f"handle.{one}" for one in sorted(_HANDLE))]))
    of_handle = name.startswith("handle.")
    signature = _HANDLE[name[7:]] if of_handle else _JOBER[name]
    positional: list[Any] = []
    named: dict[str, Any] = {}
    if of_handle:
        positional.append(draw(_RIGHT["id"]))
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            named |= draw(
                GOOD_JOBS
                | st.dictionaries(st.sampled_from([*KNOWN_FIELDS, "x", ""]), VALUE, max_size=3)
            )
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += draw(st.lists(_RIGHT[parameter.name], max_size=2))
            continue
        right = _RIGHT[parameter.name]
        value = right if parameter.name in _ONLY_RIGHT else right | right | VALUE
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.name in _ONLY_RIGHT or draw(st.booleans()):
                named[parameter.name] = draw(value)
        elif parameter.default is parameter.empty or parameter.name in _ONLY_RIGHT:
            positional.append(draw(value))
        elif draw(st.booleans()):
            named[parameter.name] = draw(value)
    return name, positional, named


@contextmanager
def _open(folder: Path) -> Iterator[Check]:
    with seeded() as state:

        def check(case: tuple[str, list[Any], dict[str, Any]]) -> None:
            name, positional, named = case
            try:
                if name.startswith("handle."):
                    handle = RunHandle(state.jober, positional[0])
                    answer = getattr(handle, name[7:])(*positional[1:], **named)
                else:
                    answer = getattr(state.jober, name)(*positional, **named)
                if inspect.isgenerator(answer):
                    list(answer)
            except JoberError as error:
                assert str(error).strip(), "it is refused without a word"
                state.check_unchanged(name)
            else:
                state.check_whole()

        yield check


TARGETS = (Target(name="calls of Jober", cases=5_000, few=75, given=calls(), open=_open),)
