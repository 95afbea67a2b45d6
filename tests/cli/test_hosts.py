"""The pretended hosts of `jober dev`."""

import pytest

from jober.cli.dev.hosts import hosts_for, parse_hosts, unserved
from jober.errors import DefinitionError
from jober.job import Job
from jober.jobs_file import read_jobs
from tests.fleet import ROOT


def jobs(*roles: list[str]) -> list[Job]:
    return [
        Job.from_spec(f"job{place}", {"command": "true", "roles": one})
        for place, one in enumerate(roles)
    ]


def told(found: list[Job]) -> list[str]:
    hosts = hosts_for(found)
    assert not unserved(found, hosts)
    return [str(host) for host in hosts]


def test_the_example_has_two_hosts_with_different_roles() -> None:
    example = list(read_jobs(ROOT / "examples" / "fleet.toml").jobs)
    assert told(example) == ["alpha (adder, web)", "beta (db)"]


def test_both_have_the_only_role() -> None:
    assert told(jobs([])) == ["alpha (default)", "beta (default)"]
    assert told([]) == ["alpha (default)", "beta (default)"]


def test_roles_that_are_asked_for_together_stay_together() -> None:
    assert told(jobs(["a"], ["b"], ["c+a"])) == ["alpha (a, c)", "beta (b)"]


def test_roles_that_exclude_one_another_get_more_hosts() -> None:
    assert told(jobs(["a+b"], ["a+!b"])) == ["alpha (a, b)", "beta (a, b)", "gamma (a)"]
    assert told(jobs(["!default"], [])) == ["alpha (default)", "beta (default)", "gamma (other)"]


def test_hosts_may_be_named() -> None:
    found = parse_hosts(["web1=web,ssd", "plain"])
    assert [str(host) for host in found] == ["web1 (ssd, web)", "plain (default)"]
    assert [job.name for job in unserved(jobs(["db"], ["web"]), found)] == ["job0"]


@pytest.mark.parametrize("text", ["=web", "a b=web", "a=web db"])
def test_a_bad_host_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError):
        parse_hosts([text])


def test_a_host_is_named_once() -> None:
    with pytest.raises(DefinitionError, match="given twice"):
        parse_hosts(["a=x", "a=y"])
