"""Jobs that name one another: loops, names of nothing, and what is still named."""

from typing import Any

import pytest

from jober.errors import (
    JobInUse,
    LinkedJobNotFound,
    LinkToService,
    WorkflowLoop,
)
from jober.job import Job
from jober.store import Store
from jober.store.changes import Change
from tests.store.hand import Hand


def put(name: str, **fields: Any) -> Change:
    return Change(op="put", name=name, job=Job.from_spec(name, {"command": "true", **fields}))


def test_a_loop_is_refused_and_named_and_nothing_is_written(store: Store) -> None:
    store.jobs.apply([put("a"), put("b", needs=["a"])])
    with pytest.raises(WorkflowLoop, match=r"a → b → c → a|b → c → a → b|c → a → b → c"):
        store.jobs.apply([put("other"), put("a", wait_for=["c"]), put("c", needs=["b"])])
    assert store.jobs.names() == ["a", "b"]
    assert store.jobs.get("a").revision == 1
    with pytest.raises(WorkflowLoop) as refused:
        store.jobs.apply([put("b", needs=["a"], on_failure=["a"])])
    assert set(refused.value.jobs) == {"a", "b"} and len(refused.value.jobs) == 3
    # The other way round, all at once, is none.
    store.jobs.apply([put("b"), put("a", needs=["b"])])


def test_a_job_that_is_not_there_or_is_a_service_cannot_be_named(store: Store) -> None:
    with pytest.raises(LinkedJobNotFound, match="'extrakt', which is not there, did you mean"):
        store.jobs.apply([put("extract"), put("load", needs=["extract"]), put("c")])
        store.jobs.apply([put("load", needs=["extrakt"])])
    assert store.jobs.get("load").job.needs == ["extract"]
    with pytest.raises(LinkToService, match="job 'load': it names 'extract', which is a service"):
        store.jobs.apply([put("extract", service=True)])
    with pytest.raises(LinkToService):
        store.jobs.apply([put("gateway", service=True), put("c", on_success=["gateway"])])


def test_a_job_that_another_names_cannot_be_removed_alone(hand: Hand, store: Store) -> None:
    store.jobs.apply([put("a"), put("b", needs=["a"]), put("c", on_success=["a"])])
    for name, by in (("b", "c"), ("c", "b")):
        with pytest.raises(JobInUse, match=f"job 'a' is in use: job '{by}' names it"):
            store.jobs.apply([Change(op="remove", name="a"), Change(op="remove", name=name)])
    store.jobs.apply([Change(op="remove", name=name) for name in ("a", "b", "c")])
    assert not hand.left_of_workflows()
