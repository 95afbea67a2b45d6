"""What the shell is given, and what it reads: `%`, run by a real shell."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.importing.crontab_line import shell_text, split_percent


@pytest.mark.parametrize(
    ("text", "command", "input"),
    [
        ("cmd", "cmd", ""),
        ("cmd%", "cmd", ""),
        ("cmd%a", "cmd", "a\n"),
        ("cmd%a%b", "cmd", "a\nb\n"),
        ("cmd%a%", "cmd", "a\n"),
        ("cmd%%a%%", "cmd", "\na\n\n"),
        (r"date +\%Y-\%m", "date +%Y-%m", ""),
        (r"a\nb 'c\\d'%e\%f\g\\h", r"a\nb 'c\\d'", "e%f\\g\\\\h\n"),
    ],
)
def test_the_first_bare_percent_ends_the_command(text: str, command: str, input: str) -> None:
    assert split_percent(text) == (command, input)


def cron_input(text: str) -> str:
    """What cronie writes to the standard input, by its own state machine (do_command.c)."""
    out, escaped, need_newline = "", False, False
    for letter in text:
        if escaped:
            if letter != "%":
                out += "\\"
        elif letter == "%":
            letter = "\n"
        escaped = letter == "\\"
        if not escaped:
            out += letter
            need_newline = letter != "\n"
    return out + ("\\" if escaped else "") + ("\n" if need_newline else "")


@given(st.text("a%\\ E'ND", max_size=12).filter(lambda text: text and "\\\\" not in text))
def test_input_is_what_cronie_writes(text: str) -> None:
    if text.endswith("\\"):
        text += "x"
    assert split_percent(f"cmd%{text}") == ("cmd", cron_input(text))


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
@pytest.mark.parametrize(
    "command",
    [
        "cat",
        "read a; read b; echo $b $a; exit 3",
        "x=1; cat; echo $x # and a remark",
        "cat && echo 'it''s done' || false",
        "true; cat | tr a-z A-Z",
        'echo "$0 $#"',
    ],
)
@pytest.mark.parametrize("input", ["", "a\nb\n", "\n\n", "END\nEND_\n$HOME `id` \\x '\"\n"])
def test_a_shell_does_the_same_as_with_cron(
    command: str, input: str, shell: str, tmp_path: Path
) -> None:
    def done(arguments: list[str], stdin: str) -> tuple[int, str, str]:
        run = subprocess.run(
            arguments, input=stdin, capture_output=True, text=True, cwd=tmp_path, check=False
        )
        return run.returncode, run.stdout, run.stderr

    text, in_shell = shell_text(command, input, shell)
    arguments = ["/bin/sh", "-c", str(text)] if in_shell else list(text)
    expected = done([shell, "-c", command], input)
    assert done(arguments, "") == expected
