"""Files of variables: how a line is read, and what is said of one that cannot be."""

from pathlib import Path

import pytest

from jober.run import RunState
from jober_worker.env_file import EnvFileUnreadable, parse_env
from tests.worker.programs import sh


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("A=1", {"A": "1"}),
        ("  export A = 1  ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=one two", {"A": "one two"}),
        ("A=one # told", {"A": "one"}),
        ("A=one#two", {"A": "one#two"}),
        ("A=# told", {"A": ""}),
        ("A='$HOME \\n' # told", {"A": "$HOME \\n"}),
        ('A="two\\nlines, \\"quoted\\" \\\\"', {"A": 'two\nlines, "quoted" \\'}),
        ("A=x=y", {"A": "x=y"}),
        ("A=żółw", {"A": "żółw"}),
        ("# A=1", {}),
        ("", {}),
    ],
)
def test_a_line_is_read_as_shells_and_docker_read_it(line: str, found: dict[str, str]) -> None:
    assert parse_env(f"{line}\n", "x.env") == found


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("A", "it is not NAME=value"),
        ("1A=2", "it is not NAME=value"),
        ("A-B=2", "it is not NAME=value"),
        ("A='no end", "its quotes do not end"),
        ('A="no end', "its quotes do not end"),
        ('A="one" two', "its quotes do not end"),
        ("A=a\0b", "it is not NAME=value"),
    ],
)
def test_a_line_that_is_none_is_named_and_not_shown(line: str, why: str) -> None:
    with pytest.raises(EnvFileUnreadable) as refused:
        parse_env(f"# first\n\n{line}\nB=3\n", "x.env")
    assert str(refused.value) == f"env_file x.env, line 3: {why}"


def test_a_run_gets_the_variables_of_its_file_and_env_goes_over_them(tmp_path: Path) -> None:
    (tmp_path / "app.env").write_text("OF_FILE=file\nOF_BOTH=file\nJOBER_RUN_ID=forged\n")
    program = sh(
        'echo "$OF_FILE $OF_BOTH $JOBER_RUN_ID"',
        env={"OF_BOTH": "env"},
        env_file="app.env",
        cwd=str(tmp_path),
        run="real",
    )
    assert program.run().state is RunState.SUCCESS
    assert program.out == b"file env real\n"


def test_a_file_that_cannot_be_read_fails_the_run_with_its_name(tmp_path: Path) -> None:
    outcome = sh("true", env_file="/no/such.env").run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 126)
    why = "env_file /no/such.env cannot be read on this host: No such file or directory"
    assert outcome.reason == why
    (tmp_path / "bytes.env").write_bytes(b"A=\xff\n")
    outcome = sh("true", env_file=str(tmp_path / "bytes.env")).run()
    assert "is not UTF-8" in (outcome.reason or "")
    (tmp_path / "bad.env").write_text("A=1\nnothing\n")
    outcome = sh("true", env_file=str(tmp_path / "bad.env")).run()
    assert outcome.reason == f"env_file {tmp_path}/bad.env, line 2: it is not NAME=value"
