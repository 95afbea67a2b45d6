"""Who sees which jobs, and may do what."""

import pytest

from jober.access import Scope, Who, check_names
from jober.errors import DefinitionError
from jober.job import Job

VIEWER, OPERATOR, ADMIN = Scope.VIEWER, Scope.OPERATOR, Scope.ADMIN


def job(tags: list[str] | None = None, roles: list[str] | None = None) -> Job:
    return Job.from_spec("job", {"command": "true", "tags": tags or [], "roles": roles or []})


def who(
    tags: set[str] | None = None, roles: set[str] | None = None, scope: Scope = OPERATOR
) -> Who:
    return Who(
        name="ann",
        scope=scope,
        tags=None if tags is None else frozenset(tags),
        roles=None if roles is None else frozenset(roles),
    )


def test_scopes_are_in_order_by_what_they_may_and_not_by_their_letters() -> None:
    assert VIEWER < OPERATOR < ADMIN
    assert ADMIN > VIEWER
    assert ADMIN >= OPERATOR >= OPERATOR
    assert not VIEWER >= OPERATOR
    assert min(ADMIN, VIEWER) is VIEWER
    assert who(scope=ADMIN).may(OPERATOR)
    assert not who(scope=VIEWER).may(OPERATOR)


def test_who_has_no_limits_sees_all_and_what_belongs_to_no_job() -> None:
    assert who().sees(job())
    assert who().sees(None)
    assert not who().is_limited


def test_a_limit_by_tags_lets_see_the_jobs_that_have_one_of_them() -> None:
    backup = who(tags={"backup", "report"})
    assert backup.is_limited
    assert backup.sees(job(["backup", "nightly"]))
    assert not backup.sees(job(["nightly"]))
    assert not backup.sees(job())
    assert not backup.sees(None)


@pytest.mark.parametrize(
    ("roles", "sees"),
    [
        (["db"], True),
        (["db+primary"], True),
        (["db+!web"], True),
        (["db", "web"], False),  # it may run on a host that has web alone
        (["db|web"], None),
        (["web"], False),
        (["!web"], False),  # on every host but those of web
        ([], False),  # the role default
    ],
)
def test_a_limit_by_roles_lets_see_the_jobs_that_run_nowhere_else(
    roles: list[str], sees: bool | None
) -> None:
    if sees is None:
        with pytest.raises(DefinitionError):
            job(roles=roles)
        return
    assert who(roles={"db"}).sees(job(roles=roles)) is sees


def test_tags_and_roles_both_narrow() -> None:
    both = who(tags={"backup"}, roles={"db"})
    assert both.sees(job(["backup"], ["db"]))
    assert not both.sees(job(["backup"], ["web"]))
    assert not both.sees(job(["report"], ["db"]))


def test_an_empty_limit_sees_nothing() -> None:
    assert not who(tags=set()).sees(job(["backup"]))
    assert not who(roles=set()).sees(job(roles=["db"]))


def test_who_changes_a_definition_has_to_see_it_before_and_after() -> None:
    backup = who(tags={"backup"})
    assert backup.may_change(job(["backup"]), job(["backup", "new"]))
    assert not backup.may_change(job(["backup"]), job(["other"])), "out of the limits"
    assert not backup.may_change(job(["other"]), job(["backup"])), "into them"
    assert not who(tags={"backup"}, scope=VIEWER).may_change(job(["backup"]))


def test_who_is_narrowed_may_no_more_than_both() -> None:
    narrow = who(tags={"a", "b"}, scope=ADMIN).narrowed(
        OPERATOR, frozenset({"b", "c"}), frozenset({"db"})
    )
    assert (narrow.scope, narrow.tags, narrow.roles) == (
        OPERATOR,
        frozenset({"b"}),
        frozenset({"db"}),
    )
    none = who(tags={"a"}).narrowed(ADMIN, frozenset({"b"}), None)
    assert (none.scope, none.tags) == (OPERATOR, frozenset())
    assert none.is_limited
    assert who().narrowed(ADMIN, None, None) == who()


def test_names_of_limits_are_checked() -> None:
    assert check_names(None, "tags") is None
    assert check_names([], "tags") is None
    assert check_names(["a", "a", "b"], "tags") == frozenset({"a", "b"})
    for wrong in (["a b"], [""], ["x" * 101], ["a,b"]):
        with pytest.raises(DefinitionError, match="is no tag"):
            check_names(wrong, "tags")
    with pytest.raises(DefinitionError, match="is no role"):
        check_names(["!db"], "roles")
    with pytest.raises(DefinitionError, match="101 tags are too many"):
        check_names(map(str, range(101)), "tags")


def test_a_scope_that_there_is_none_of_is_refused_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match="'admn' is no scope, did you mean 'admin'"):
        Scope.read("admn")
