"""Files of jobs: read as a whole, or refused with all that is wrong; and what they change."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jober.errors import DefinitionError, JoberError
from jober.job import InvalidDefinitions, Job, each_of
from jober.jobs_file import difference, parse_jobs, read_jobs

ROOT = Path(__file__).parent.parent


def jobs(text: str, format: Literal["toml", "yaml"] = "toml") -> dict[str, Job]:
    return {job.name: job for job in parse_jobs(text, format, f"fleet.{format}").jobs}


def refused(text: str, format: Literal["toml", "yaml"] = "toml") -> list[str]:
    with pytest.raises(DefinitionError) as error:
        jobs(text, format)
    return [str(one) for one in each_of([error.value])]


# What is read


@pytest.mark.parametrize("name", ["fleet.toml", "fleet.yaml"])
def test_the_examples_are_good(name: str) -> None:
    found = read_jobs(ROOT / "examples" / name)
    assert found.path.endswith(name)
    assert {"tick", "sum", "disk", "hello"} <= {job.name for job in found.jobs}


def test_the_example_shows_each_kind_of_job_on_roles_that_the_demo_has() -> None:
    found = read_jobs(ROOT / "examples" / "fleet.toml").jobs
    assert {job.kind for job in found} == {
        "command", "shell", "call", "module", "script", "script_call",
    }  # fmt: skip
    assert {job.on for job in found} == {"any", "every"}
    assert any(job.schedule is None for job in found)
    assert {job.queue for job in found} <= {"adder", "db", "web", "db|web"}


def test_toml_and_yaml_say_the_same() -> None:
    toml = jobs(
        """
        [defaults]
        timezone = "Europe/Warsaw"
        [jobs.a]
        command = "ls"
        on = "every"
        every = [1, "hour"]
        at = { minute = 5 }
        [jobs.b]
        call = "a:b"
        date = 2026-11-21T03:00:00
        args = [1, 1.5, true, "x"]
        """
    )
    other = jobs(
        """
        defaults: {timezone: Europe/Warsaw}
        jobs:
          a:
            command: ls
            on: every
            every: [1, hour]
            at: {minute: 05}
          b:
            call: a:b
            date: 2026-11-21 03:00:00
            args: [1, 1.5, true, x]
        """,
        "yaml",
    )
    assert toml == other
    assert toml["b"].date == "2026-11-21T03:00:00"


def test_jobs_stand_in_the_order_of_the_file() -> None:
    assert list(jobs("[jobs.b]\ncommand = 'x'\n[jobs.a]\ncommand = 'y'")) == ["b", "a"]


def test_yaml_scalars_are_those_of_yaml_1_2() -> None:
    text = """
    jobs:
      a:
        command: ls
        args: [on, yes, 12:30, 010, 0o10, 0x10, 1e3, .5, -.inf_, 1_000, ~, null, True, "1"]
        on: any
    """
    assert jobs(text, "yaml")["a"].args == [
        "on", "yes", "12:30", 10, 8, 16, 1000.0, 0.5, "-.inf_", "1_000", None, None, True, "1",
    ]  # fmt: skip


def test_yaml_null_gives_a_default_back() -> None:
    text = "defaults: {timeout: 5}\njobs: {a: {command: x, timeout: }}"
    assert jobs(text, "yaml")["a"].timeout is None


def test_yaml_tables_may_be_merged() -> None:
    text = "jobs:\n  a: &a {command: x, title: T}\n  b: {<<: *a, title: U}\n  c: {<<: *a}"
    found = jobs(text, "yaml")
    assert [job.title for job in found.values()] == ["T", "U", "T"]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "fleet.TOML"
    path.write_bytes("\ufeff[jobs.a]\r\ncommand = 'x'\r\n".encode())
    assert [job.name for job in read_jobs(path).jobs] == ["a"]


# Defaults


def test_defaults_stand_under_each_job() -> None:
    found = jobs(
        """
        [defaults]
        roles = ["web"]
        env = { A = "1", B = "1" }
        grace = 1
        [jobs.a]
        command = "x"
        env = { B = "2" }
        [jobs.b]
        command = "x"
        roles = []
        grace = 2
        """
    )
    assert found["a"].spec() == {
        "command": "x",
        "roles": ["web"],
        "grace": 1,
        "env": {"A": "1", "B": "2"},
    }
    assert (found["b"].queue, found["b"].grace) == ("default", 2)


def test_a_job_that_says_what_or_when_takes_neither_from_the_defaults() -> None:
    found = jobs(
        """
        [defaults]
        command = "x"
        shell = true
        every = [1, "day"]
        at = { hour = 3 }
        [jobs.a]
        [jobs.b]
        call = "a:b"
        cron = "* * * * *"
        """
    )
    assert found["a"].kind == "shell"
    assert found["a"].every == [1, "day"]
    assert found["b"].spec() == {"call": "a:b", "cron": "* * * * *"}


def test_defaults_for_another_kind_of_job_do_not_count() -> None:
    found = jobs(
        """
        [defaults]
        process = true
        timeout = 9
        jitter = 1
        timezone = "Europe/Warsaw"
        [jobs.a]
        command = "x"
        [jobs.b]
        call = "a:b"
        every = 5
        """
    )
    assert found["a"].spec() == {"command": "x", "timeout": 9}
    assert found["b"].process
    assert found["b"].jitter == 1


def test_what_is_wrong_with_the_defaults_is_told_once() -> None:
    text = "[defaults]\ngrce = 1\ngrace = -1\n[jobs.a]\ncommand = 'x'\n[jobs.b]\ncommand = 'x'"
    assert refused(text) == [
        "fleet.toml:2: grce: unknown field 'grce', did you mean 'grace'?",
        "fleet.toml:3: grace: -1 is not a number of seconds from 0 to 3600 (grace = 5)",
    ]


# What is refused


def test_all_that_is_wrong_with_a_file_is_told_in_its_order_with_the_lines() -> None:
    text = '''
[jobs.a]
command = "ls"
crn = "* * * * *"
notes = """
[jobs.c]
"""
timezone = "Mars"

[jobs."b"]
cron = "61 * * * *"
kwargs.x = 2020-01-01

[jbs.c]
'''
    assert refused(text) == [
        "fleet.toml:4: job 'a': crn: unknown field 'crn', did you mean 'cron'?",
        "fleet.toml:8: job 'a': timezone: 'Mars' is not a time zone "
        "(name one of the IANA list, as Europe/Warsaw, or UTC)",
        "fleet.toml:10: job 'b': there is nothing to run "
        "(give it one of command, call, module or script)",
        "fleet.toml:11: job 'b': cron: minute 61 is not in 0-59 (write a number of that range)",
        "fleet.toml:12: job 'b': kwargs: kwargs.x is a date, which JSON cannot hold "
        '(write it as text: "2020-01-01")',
        "fleet.toml:14: jbs: unknown table 'jbs', did you mean 'jobs'? "
        "(a file has [jobs.NAME], [calendars.NAME], [limits] and [defaults])",
    ]


def test_yaml_errors_have_lines_too() -> None:
    text = "jobs:\n  a:\n    command: ls\n    crn: 5\n  b:\n    any_of: [{cron: x}]\n  5: {}\n"
    told = refused(text, "yaml")
    assert told[0] == "fleet.yaml:4: job 'a': crn: unknown field 'crn', did you mean 'cron'?"
    assert told[1].startswith("fleet.yaml:5: job 'b': there is nothing to run")
    assert told[2].startswith("fleet.yaml:6: job 'b': any_of[0].cron: ")
    assert told[3] == "fleet.yaml:7: the name 5 is not text (put it in quotes)"


def test_errors_carry_their_facts() -> None:
    with pytest.raises(InvalidDefinitions) as error:
        jobs("[jobs.a]\ncommand = 'x'\ntimeout = 0\n[jobs.b]\n")
    first, second = error.value.errors
    assert (first.file, first.job, first.field, first.value) == (
        "fleet.toml:3", "a", "timeout", 0,
    )  # fmt: skip
    assert (second.file, second.job) == ("fleet.toml:4", "b")


@pytest.mark.parametrize(
    ("text", "format", "told"),
    [
        ("[jobs.a", "toml", "fleet.toml:1: it is not TOML: expected ']'"),
        ("[jobs.a]\nx = ", "toml", "fleet.toml:2: it is not TOML: invalid value"),
        ("[jobs.a]\n[jobs.a]", "toml", "fleet.toml:2: it is not TOML: cannot declare"),
        ("[jobs.a]\na = 1\na = 2", "toml", "fleet.toml:3: it is not TOML: cannot overwrite"),
        ("a = " + "[" * 100_000, "toml", "it is nested too deeply"),
        ("a = " + "1" * 10_000, "toml", "thousands of digits"),
        ("", "toml", "fleet.toml: no jobs (write [jobs.NAME]"),
        ("jobs = 5", "toml", "fleet.toml:1: jobs: 5 is no table of jobs"),
        ("[jobs]\na = 'ls'", "toml", "fleet.toml:2: job 'a': 'ls' is not a table of fields"),
        ("defaults = 5\n[jobs]", "toml", "fleet.toml:1: defaults: 5 is no table of fields"),
        ("[jobs.'a b']\ncommand = 'x'", "toml", "job 'a b': name: 'a b' is not a job name"),
        ("[jobs.a]\nname = 'b'\ncommand = 'x'", "toml", "a job is named by its table"),
        ("", "yaml", "fleet.yaml: no jobs"),
        ("jobs:", "yaml", "no jobs"),
        ("[1]", "yaml", "fleet.yaml:1: it is not a table (begin with `jobs:`)"),
        ("jobs: {a: [}", "yaml", "fleet.yaml:1: it is not YAML that can be read"),
        ("jobs:\n  a: {}\n  a: {}", "yaml", "fleet.yaml:3: 'a' stands twice, first in line 2"),
        ("jobs: {}\n---\njobs: {}", "yaml", "expected a single document"),
        ("jobs: {a: {date: 2026-13-01}}", "yaml", "'2026-13-01' is not a date: month must be"),
        ("jobs: {a: !!python/name:os.system }", "yaml", "could not determine a constructor"),
        ("jobs:\n  a: \x01", "yaml", "fleet.yaml:2: it holds a character that YAML does not"),
        ("[" * 100_000, "yaml", "it is nested too deeply"),
        ("a: " + "1" * 10_000, "yaml", "thousands of digits"),
        ("jobs: {x: {command: x, args: &a [*a]}}", "yaml", "nested deeper than 32 levels"),
        ("jobs: &a {x: *a}", "yaml", "unknown field 'x'"),
    ],
)
def test_a_text_that_is_wrong_is_told_where(
    text: str, format: Literal["toml", "yaml"], told: str
) -> None:
    assert told in "\n".join(refused(text, format))


def test_values_that_multiply_are_refused() -> None:
    laughs = ["x: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    laughs += [f"y{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    text = "\n".join([*laughs, "jobs: {a: {command: x, args: *l8}}"])
    assert any("larger than a megabyte" in told for told in refused(text, "yaml"))
    merges = ["m0: &m0 {a: 1, b: 2, c: 3, d: 4, e: 5}"]
    merges += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 99)}]}}" for n in range(1, 9)]
    assert "more than 10000 keys" in refused("\n".join(merges), "yaml")[0]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("fleet.toml", None, "fleet.toml: it cannot be read: no such file or directory"),
        ("fleet", b"", "fleet: its name does not tell what it is written in"),
        ("fleet.toml", b"\n# \xff", "fleet.toml:2: byte 0xff is not UTF-8 (save it as UTF-8)"),
        ("fleet.toml", b"#" * (16 << 20) + b"#", "fleet.toml: it is larger than 16 MiB"),
        ("a\0.toml", None, "it cannot be read: embedded null byte"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(
    tmp_path: Path, name: str, data: bytes | None, told: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DefinitionError) as error:
        read_jobs(path)
    assert told in str(error.value)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.mkdir()
    with pytest.raises(DefinitionError, match="it cannot be read: is a directory"):
        read_jobs(path)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(
    st.text("[]{}=:.,\"'\n #&*!|>-<ajobsdefults12e+_\x00\ufeff", max_size=40),
    st.sampled_from(["", "[jobs.a]\ncommand = 'x'\n", "jobs:\n  a:\n    "]),
)
def test_any_text_is_a_file_of_jobs_or_an_error_of_ours(text: str, before: str) -> None:
    formats: tuple[Literal["toml"], Literal["yaml"]] = ("toml", "yaml")
    for format in formats:
        try:
            jobs(before + text, format)
        except JoberError as error:
            assert "fleet." in str(error)


@given(TREES, TREES)
def test_any_tree_is_a_file_of_jobs_or_an_error_of_ours(tree: Any, defaults: Any) -> None:
    for whole in (tree, {"jobs": tree, "defaults": defaults}, {"jobs": {"a": tree}}):
        try:
            jobs(yaml.safe_dump(whole, allow_unicode=True), "yaml")
        except JoberError as error:
            assert "fleet." in str(error)


# What applying would change


def named(**fields: Mapping[str, Any]) -> dict[str, Job]:
    return {name: Job.from_spec(name, spec) for name, spec in fields.items()}


CURRENT = named(same={"command": "a"}, other={"command": "b"}, gone={"command": "c"})
WANTED = named(new={"command": "n"}, other={"command": "b", "timeout": 5}, same={"command": "a"})


def test_the_difference_tells_what_is_added_changed_kept_and_left_unchanged() -> None:
    found = difference(CURRENT, WANTED.values(), prune=False)
    assert found.added == (WANTED["new"],)
    ((old, new, fields),) = found.changed
    assert (old, new) == (CURRENT["other"], WANTED["other"])
    assert [str(field) for field in fields] == ["timeout: none → 5"]
    assert (found.removed, found.kept, found.unchanged) == ((), ("gone",), ("same",))
    assert not found.is_empty


def test_what_is_not_in_the_file_is_removed_only_by_pruning() -> None:
    found = difference(CURRENT, WANTED.values(), prune=True)
    assert (found.removed, found.kept) == (("gone",), ())


def test_applying_the_same_again_changes_nothing() -> None:
    assert difference(WANTED, WANTED.values(), prune=True).is_empty
    assert difference(CURRENT, [], prune=False).is_empty
