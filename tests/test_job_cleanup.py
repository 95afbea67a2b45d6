"""What a job says of cleaning up after its runs, and what it comes to."""

import json
from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import Job
from jober.job.cleanup import cleaner


def job(**fields: Any) -> Job:
    return Job(name="nightly", command="true", **fields)


def test_it_is_a_function_that_can_be_imported() -> None:
    assert job(cleanup=json.loads).cleanup == "json:loads"
    assert job(cleanup="shop.files:remove").cleanup == "shop.files:remove"


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        (lambda run: None, "define it at the top of a module that the workers can import"),
        ("shop.files.remove", 'cleanup = "shop.files:remove"'),
        ("rm -rf /", 'cleanup = "pkg.mod:func"'),
        (["rm"], 'cleanup = "pkg.mod:func"'),
    ],
)
def test_all_else_is_refused_with_the_mend(wrong: Any, mend: str) -> None:
    with pytest.raises(DefinitionError) as error:
        job(cleanup=wrong)
    assert (error.value.field, error.value.mend) == ("cleanup", mend)


def test_it_runs_where_the_job_may_as_the_job_does_and_after_all_else() -> None:
    assert cleaner(job()) is None
    roles = ["db", ".program-7"]
    made = cleaner(job(roles=roles, cwd="/srv", user="backup", timeout=3, cleanup="a:b"))
    assert made is not None
    assert (made.call, made.roles, made.priority, made.timeout) == ("a:b", ["db"], 0, 600)
    assert (made.cwd, made.user, made.process) == ("/srv", "backup", True)
