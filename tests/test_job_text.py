"""The text of a job, and what differs between two."""

from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import Job, changes


def job(**fields: Any) -> Job:
    what = {"command", "call", "module", "script"} & fields.keys()
    return Job(**{"name": "nightly", **({} if what else {"command": "true"}), **fields})


def test_the_spec_holds_what_differs_from_the_defaults_in_the_order_of_the_fields() -> None:
    one = job(grace=5, title="T", every=5, overlap="skip", command="ls", args=[])
    assert list(one.spec().items()) == [("command", "ls"), ("every", 5), ("title", "T")]
    assert one.to_json() == '{"command": "ls", "every": 5, "title": "T"}'


def test_the_spec_is_a_copy() -> None:
    one = job(args=[[1]])
    one.spec()["args"][0].append(2)
    assert one.args == [[1]]


def test_a_replaced_field_is_checked_and_none_gives_the_default_back() -> None:
    one = job(call="a:b", timeout=5, process=True)
    assert one.replace(timeout=None).spec() == {"call": "a:b", "process": True}
    assert one.model_copy(update={"title": "T"}).title == "T"
    with pytest.raises(DefinitionError, match="set process = true"):
        one.replace(process=None)


def test_changes_are_told_field_by_field() -> None:
    old = job(timeout=5, tags=["a"], title="T")
    new = job(timeout=6, tags=["a"], command="false")
    assert [(one.field, one.old, one.new) for one in changes(old, new)] == [
        ("command", "true", "false"),
        ("timeout", 5, 6),
        ("title", "T", None),
    ]
    assert str(changes(old, new)[1]) == "timeout: 5 → 6"


def test_true_is_not_the_number_one() -> None:
    assert job(args=[1]) != job(args=[True])
    assert [one.field for one in changes(job(args=[1]), job(args=[True]))] == ["args"]


def test_what_means_the_same_is_equal() -> None:
    assert job() == job(timezone="UTC", overlap="skip", roles=[])
    assert hash(job()) == hash(job(grace=5))
    assert changes(job(), job(grace=5)) == []
    assert job() != job(name="other")
