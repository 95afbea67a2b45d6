"""What a call of `run` is read as, before anybody is asked."""

import functools
import operator
import os.path
from pathlib import Path
from typing import Any

import pytest

from jober.client.what import Given, Local, Named, read_what
from jober.errors import DefinitionError


def test_a_name_is_that_of_a_job() -> None:
    assert read_what("nightly") == Named(name="nightly")


@pytest.mark.parametrize(
    ("what", "shell", "fields", "word"),
    [
        ("date | wc -c", True, {"command": "date | wc -c", "shell": True}, "date"),
        (["/bin/ls", "-l"], False, {"command": ["/bin/ls", "-l"]}, "ls"),
        (("ls",), False, {"command": ["ls"]}, "ls"),
        ("pkg.mod:Class.method", False, {"call": "pkg.mod:Class.method"}, "run"),
        ("./x.py", False, {"script": "./x.py"}, "x"),
        ("/srv/x.py:func", False, {"script": "/srv/x.py:func"}, "func"),
        (os.path.join, False, {"call": "posixpath:join"}, "join"),
        (operator.add, False, {"call": "_operator:add"}, "add"),
        (Given, False, {"call": "jober.client.what:Given"}, "Given"),
        (Path("/srv/x.py"), False, {"script": "/srv/x.py"}, "x"),
    ],
)
def test_all_else_says_itself_what_it_is(
    what: object, shell: bool, fields: dict[str, Any], word: str
) -> None:
    assert read_what(what, shell) == Given(fields=fields, word=word)


def test_what_nobody_could_import_is_a_callable_of_this_program() -> None:
    def inner() -> None: ...

    for function in (lambda: 1, inner, functools.partial(operator.add, 1), "x".upper):
        assert isinstance(read_what(function), Local), function

    def main() -> None: ...

    main.__module__, main.__qualname__ = "__main__", "main"
    assert read_what(main) == Local(function=main, word="main")


@pytest.mark.parametrize(
    ("what", "shell", "told"),
    [
        ("ls -l", False, "a program is given as a list (run(['ls', '-l']), or run('ls -l', shell"),
        ("./tool.sh", False, "run(['./tool.sh'])"),
        ("", False, "it is no name of a job"),
        ("pkg:", False, "it is no name of a job"),
        (["ls"], True, "a shell takes one text (run('ls | wc -l', shell=True))"),
        (7, False, "7 is nothing that can be run"),
    ],
)
def test_what_could_be_either_is_refused_with_the_mend(
    what: object, shell: bool, told: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_what(what, shell)
    assert told in str(caught.value)
