"""What a host allows: the table `[allow]` of its file, judged without running anything."""

import shutil
from typing import Any

import pytest

from jober.errors import DefinitionError
from jober_worker.allow import AllowList, Wanted, read_allow

FILE = "/etc/jober/worker.toml"
ECHO = str(shutil.which("echo"))


def allow(**lists: Any) -> AllowList:
    return read_allow(lists, FILE)


def command(*argv: str, **more: Any) -> Wanted:
    return Wanted(kind="command", name=argv[0], argv=argv, **more)


def call(name: str, **more: Any) -> Wanted:
    return Wanted(kind="callable", name=name, **more)


def test_without_a_list_all_is_allowed() -> None:
    for wanted in (command("rm", "-rf", "/"), call("os:system"), command("x", user="root")):
        assert allow().refusal(wanted) is None


def test_what_is_in_no_list_is_refused_and_file_and_rule_are_told() -> None:
    told = allow(commands=["pg_dump"]).refusal(command("rm", "-rf", "/"))
    assert told == "refused by /etc/jober/worker.toml: [allow] commands does not name 'rm'"
    told = allow(commands=[["rm", "/tmp/a"]]).refusal(command("rm", "-rf", "/"))
    assert told and told.endswith("commands does not name 'rm -rf /'")
    assert allow(commands=["pg_dump"]).refusal(call("os:system"))
    assert allow(callables=["reports.*"]).refusal(command("/bin/sh", "-c", "id"))


@pytest.mark.parametrize(
    ("rule", "argv", "is_allowed"),
    [
        ("echo", ["echo", "a"], True),
        ("ech*", ["echo"], True),
        ("echo", [ECHO, "a"], True),
        (ECHO, ["echo"], True),
        (ECHO, [ECHO], True),
        (ECHO[:-2] + "*", [ECHO], True),
        ("echo", ["/tmp/echo"], False),
        (ECHO, ["/tmp/echo"], False),
        (["echo", "a"], ["echo", "a", "b"], True),
        (["echo", "a"], ["echo", "b"], False),
        (["echo", "a"], ["echo"], False),
        (["echo", "a*"], ["echo", "abc"], False),
    ],
)
def test_a_command_is_named_by_its_program_or_its_first_words(
    rule: Any, argv: list[str], is_allowed: bool
) -> None:
    assert (allow(commands=[rule]).refusal(command(*argv)) is None) is is_allowed


@pytest.mark.parametrize(
    ("rule", "name", "is_allowed"),
    [
        ("reports.daily:count", "reports.daily:count", True),
        ("reports.daily.count", "reports.daily:count", True),
        ("reports.daily.*", "reports.daily:count", True),
        ("reports.*", "reports:count", True),
        ("reports.*", "reports.os.system", False),
        ("reports.*", "reportsXcount", False),
    ],
)
def test_a_star_stands_for_one_part_of_the_name_of_a_function(
    rule: str, name: str, is_allowed: bool
) -> None:
    assert (allow(callables=[rule]).refusal(call(name)) is None) is is_allowed


def test_of_an_rq_job_the_callbacks_count_too_and_what_is_pickled_is_in_no_list() -> None:
    rules = allow(callables=["app.*"])
    assert rules.refusal(call("app.work", also=("app.done",))) is None
    assert "'os.system', which is called after it" in str(
        rules.refusal(call("app.work", also=("os.system",)))
    )
    assert rules.refusal(Wanted(kind="pickle", name="a pickled call"))
    assert allow(users=["a"]).refusal(Wanted(kind="pickle", name="a pickled call")) is None


def test_a_script_is_named_by_where_it_is() -> None:
    rules = allow(scripts=["/srv/jobs/*.py"], cwd=["/srv/jobs"])
    script = Wanted(kind="script", name="a.py", cwd="/srv/jobs")
    assert rules.refusal(script) is None
    assert rules.refusal(Wanted(kind="script", name="../evil.py", cwd="/srv/jobs"))
    assert rules.refusal(Wanted(kind="script", name="a.py"))


def test_users_groups_and_jobs_are_named_where_they_are_listed() -> None:
    rules = allow(users=["www-data"], groups=["www-data"], jobs=["web-*"])
    assert rules.refusal(command("id", job="web-1")) is None
    assert rules.refusal(command("id", job="web-1", user="www-data")) is None
    assert "users does not name 'root'" in str(
        rules.refusal(command("id", job="web-1", user="root"))
    )
    assert "jobs does not name the job 'db'" in str(rules.refusal(command("id", job="db")))
    assert rules.refusal(command("id", job=None))


def test_what_chooses_the_code_of_an_allowed_program_is_refused_unless_it_is_named() -> None:
    strict = allow(commands=["echo"])
    assert strict.refusal(command("echo", env={"TABLE": "a"})) is None
    for name in ("LD_PRELOAD", "PATH", "PYTHONPATH"):
        assert f"has to name the variable {name}" in str(
            strict.refusal(command("echo", env={name: "x"}))
        )
    assert strict.refusal(command("echo", cwd="/tmp"))
    assert strict.refusal(command("echo", env_file="/tmp/x"))
    loose = allow(commands=["echo"], env=["PATH"], cwd=["/tmp"], env_files=["/tmp/*"])
    assert loose.refusal(command("echo", env={"PATH": "x"}, cwd="/tmp", env_file="/tmp/x")) is None
    assert loose.refusal(command("echo", env={"TABLE": "x"}))


def test_only_listed_roles_are_taken_on() -> None:
    assert allow(roles=["web", "db"]).roles(frozenset({"web", "root"})) == {"web"}
    assert allow().roles(frozenset({"web"})) == {"web"}


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"command": ["a"]}, "allow.command"),
        ({"commands": "a"}, "allow.commands"),
        ({"commands": [["a", 1]]}, "allow.commands"),
        ({"callables": [["a"]]}, "allow.callables"),
        ({"users": [""]}, "allow.users"),
        ("x", "allow"),
    ],
)
def test_a_wrong_list_is_refused(table: Any, field: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_allow(table, FILE)
    assert refused.value.field == field and refused.value.mend
