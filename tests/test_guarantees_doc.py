"""docs/guarantees.md names tests that there are, and mutations name promises that are on it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.mutations import MUTATIONS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
PROMISES = {
    match[1]: match[2]
    for match in re.finditer(r"^## (\w+): .*\n((?:(?!## ).*\n)*)", PAGE, re.MULTILINE)
}
# Each in a code span, which never reaches over the end of a line.
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of the tests in a file; empty where there is none."""
    if not (ROOT / file).exists():
        return frozenset()
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_says_what_holds_it_what_breaks_it_and_which_tests_there_are(
    promise: str,
) -> None:
    text = PROMISES[promise]
    for part in ("**Held by:**", "**Broken by:**", "**Tests:**"):
        assert part in text, f"{promise} has no {part}"
    named = NAMED.findall(text.partition("**Tests:**")[2])
    assert named, f"{promise} names no test"


@pytest.mark.parametrize(("file", "test"), NAMED.findall(PAGE))
def test_each_test_on_the_page_is_there(file: str, test: str) -> None:
    assert test in names_in(file)


def test_nothing_on_the_page_only_looks_like_the_name_of_a_test() -> None:
    assert len(re.findall(r"tests/[\w/]*\.py", PAGE)) == len(NAMED.findall(PAGE))


def test_every_promise_is_mutated_and_every_mutation_is_of_a_promise() -> None:
    assert {one.promise for one in MUTATIONS} == set(PROMISES)


def test_every_mutation_names_a_test_that_is_there() -> None:
    for one in MUTATIONS:
        file, _, test = one.test.partition("::")
        assert test.partition("[")[0] in names_in(file), f"'{one.name}' names {one.test}"
