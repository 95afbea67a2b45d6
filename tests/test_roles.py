"""Role expressions, the queues they name, and the roles of an agent."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.errors import DefinitionError
from jober.roles import (
    ANY_ROLE,
    RoleExpression,
    host_queue,
    is_host_queue,
    matches,
    parse_agent_roles,
    parse_expression,
    parse_roles,
    queue_name,
    served,
)

NAMES = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=4)
TERMS = st.dictionaries(NAMES, st.booleans(), min_size=1, max_size=4)
EXPRESSIONS = TERMS.map(
    lambda terms: "+".join(role if wanted else f"!{role}" for role, wanted in terms.items())
)


def on(queue: str, *roles: str) -> bool:
    return matches(queue, frozenset(roles))


def test_no_roles_are_the_role_default() -> None:
    assert queue_name([]) == "default"


def test_the_queue_is_the_sorted_text_of_what_is_asked() -> None:
    assert queue_name(["web", "!primary + db"]) == "db+!primary|web"
    assert queue_name(["db+!primary", "web", "web"]) == "db+!primary|web"


def test_an_alternative_that_another_covers_is_left_out() -> None:
    assert queue_name(["db", "db+primary"]) == "db"
    assert queue_name(["a+!b", "!b"]) == "!b"


def test_a_plus_b_wants_both() -> None:
    assert on("a+b", "a", "b", "c")
    assert not on("a+b", "a")


def test_a_plus_not_b_wants_a_without_b() -> None:
    assert on("a+!b", "a")
    assert not on("a+!b", "a", "b")
    assert not on("a+!b", "c")


def test_a_negative_alone_is_every_host_without_it() -> None:
    assert on("!gpu", "default")
    assert not on("!gpu", "default", "gpu")


def test_any_alternative_will_do() -> None:
    assert on("db+!primary|web", "web")
    assert on("db+!primary|web", "db")
    assert not on("db+!primary|web", "db", "primary")


@pytest.mark.parametrize(
    "queue", ["high:prio", "my queue", "", "@alpha", "a,b", "a|", "+a", "a++b", "a+!a", "a\n"]
)
def test_a_queue_that_is_no_role_expression_is_served_by_no_role(queue: str) -> None:
    assert not on(queue, "a", "b", "alpha", "high", "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a role expression is empty"),
        ("a,b", 'roles = ["a", "b"]'),
        ("a|b", 'roles = ["a", "b"]'),
        ("a b", "'a b' is not a role name"),
        ("a+", "a role name is missing"),
        ("!!a", "'!a' is not a role name"),
        ("a+!a", "no host ever matches"),
        ("ż", "'ż' is not a role name"),
        ("a" * 101, "is not a role name"),
    ],
)
def test_what_is_no_expression_is_told_with_its_mend(text: str, told: str) -> None:
    with pytest.raises(DefinitionError) as error:
        queue_name([text])
    assert told in str(error.value)
    assert error.value.field == "roles"
    assert error.value.value == text
    assert error.value.mend


def test_more_than_a_hundred_expressions_are_refused() -> None:
    with pytest.raises(DefinitionError, match="101 role expressions are too many"):
        queue_name([f"r{number}" for number in range(101)])


def test_an_agent_has_each_role_that_a_comma_or_a_plus_separates() -> None:
    assert parse_agent_roles("adder,db+primary") == {"adder", "db", "primary"}
    assert parse_agent_roles(" adder , db ") == {"adder", "db"}


@pytest.mark.parametrize("text", [None, "", "  "])
def test_an_agent_without_roles_has_the_role_default(text: str | None) -> None:
    assert parse_agent_roles(text) == {"default"}


@pytest.mark.parametrize("text", ["!gpu", "a,,b", "a b", "a,", "a|b"])
def test_an_agent_cannot_have_what_is_no_role(text: str) -> None:
    with pytest.raises(DefinitionError):
        parse_agent_roles(text)


def test_a_host_has_a_queue_that_no_role_serves() -> None:
    assert host_queue("db1.example.org") == "@db1.example.org"
    assert is_host_queue("@db1.example.org")
    assert not is_host_queue("db1")
    with pytest.raises(DefinitionError):
        host_queue("a b")


@given(EXPRESSIONS)
def test_the_text_of_an_expression_is_read_back_as_the_same(text: str) -> None:
    expression = parse_expression(text)
    assert parse_expression(str(expression)) == expression


@given(st.lists(EXPRESSIONS, max_size=5), st.frozensets(NAMES, max_size=6))
def test_a_queue_matches_where_any_of_its_expressions_does(
    roles: list[str], having: frozenset[str]
) -> None:
    expected = any(parse_expression(text).matches(having) for text in roles or ["default"])
    assert matches(queue_name(roles), having) == expected
    assert "," not in queue_name(roles)


@given(st.lists(EXPRESSIONS, max_size=5))
def test_the_queue_does_not_depend_on_the_order_of_writing(roles: list[str]) -> None:
    assert queue_name(roles) == queue_name(list(reversed(roles)))
    assert queue_name(queue_name(roles).split("|")) == queue_name(roles)


def test_an_expression_is_a_value() -> None:
    one = RoleExpression(having=frozenset({"a"}), lacking=frozenset())
    assert parse_roles(["a"]) == (one,)
    assert hash(parse_roles(["a"])[0]) == hash(one)


@pytest.mark.parametrize("queue", ["default", "db+big", "db+!big", "!gpu", "web|db", "db^9"])
def test_an_agent_with_every_role_serves_every_queue_of_roles(queue: str) -> None:
    assert matches(queue, frozenset({ANY_ROLE}))
    assert queue in served([queue], frozenset({ANY_ROLE}), "alpha")


def test_a_role_that_begins_with_a_dot_is_had_by_name_alone() -> None:
    assert not matches(".mine", frozenset({ANY_ROLE}))
    assert not matches("db+.mine", frozenset({ANY_ROLE}))
    assert matches("db+.mine", frozenset({ANY_ROLE, ".mine"}))
    assert not matches("@alpha", frozenset({ANY_ROLE}))
    assert not matches("!gpu", frozenset({".mine"}))
    assert matches(".mine", frozenset({".mine"})) and matches("!gpu", frozenset({".mine", "db"}))
    assert served([], parse_agent_roles("*"), "alpha") == ["@alpha"]
