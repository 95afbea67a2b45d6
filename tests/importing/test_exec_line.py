"""Command lines of systemd: their words, specifiers and variables, for a program or a shell."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.errors import DefinitionError
from jober.importing.exec_line import as_argv, as_shell, read_exec, split_words
from jober.importing.timespan import every_of, read_span

ENV = {"ONE": "one", "TWO": "'one two' three", "NONE": ""}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("""a "b c" 'd "e"' f'g h'i""", ["a", "b c", 'd "e"', "fg hi"]),
        (r"""a\x20b "\t\"" '\'' \s\101""", ["a b", '\t"', "'", " A"]),
        ('a "" b', ["a", "", "b"]),
    ],
)
def test_quotes_and_escapes_are_undone(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.lists(st.text(st.characters(exclude_characters="\0\\", exclude_categories=["Cs"]))))
def test_quoted_words_are_read_as_they_were(words: list[str]) -> None:
    quoted = ['"' + word.replace('"', '\\"') + '"' for word in words]
    assert split_words(" ".join(quoted)) == words


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("/bin/x a", ["/bin/x", "a"]),
        ("/bin/x ${ONE}${NONE}s ${TWO}", ["/bin/x", "ones", "'one two' three"]),
        ("/bin/x $ONE $TWO $NONE", ["/bin/x", "one", "one two", "three"]),
        ("/bin/x '$TWO'", ["/bin/x", "one two", "three"]),
        ("/bin/x a$ONE $$ONE $$ '$${ONE}'", ["/bin/x", "a$ONE", "$ONE", "$", "${ONE}"]),
        (":/bin/x $ONE ${ONE} $$", ["/bin/x", "$ONE", "${ONE}", "$$"]),
        ("/bin/x %n 100%%", ["/bin/x", "a.service", "100%"]),
        (r"find / -exec rm {} \;", ["find", "/", "-exec", "rm", "{}", ";"]),
    ],
)
def test_variables_and_specifiers_are_put_in(text: str, argv: list[str]) -> None:
    (command,) = read_exec(text, {"n": "a.service"})
    assert as_argv(command, ENV) == argv
    assert shlex.split(as_shell(command, ENV)) == argv


def test_a_lone_semicolon_parts_commands() -> None:
    assert [one.words for one in read_exec("a 1 ; b 2", {})] == [("a", "1"), ("b", "2")]


def test_what_is_known_only_at_the_run_is_left_to_a_shell() -> None:
    (command,) = read_exec("/bin/x 'a b'${LATER}", {})
    assert as_argv(command, {}) is None
    assert as_shell(command, {}) == """/bin/x 'a b'"${LATER}\""""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it runs nothing"),
        ("- x", "names no program"),
        ("@/bin/x y", "the prefix '@' gives the program another name"),
        ("+/bin/x", "the prefix '+' runs with all privileges"),
        ("!!/bin/x", "the prefix '!' runs with other privileges"),
        ("/bin/x 'a", "a ' is never closed"),
        ("/bin/x \\", "it ends in a backslash"),
        ("/bin/x \\q", "'\\q' is no escape"),
        ("/bin/x %H", "'%H' is known only to systemd"),
        ("/bin/x %", "'%' is known only to systemd"),
    ],
)
def test_what_has_no_place_in_a_job_is_refused(text: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as error:
        read_exec(text, {})
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5min 20s", 320), ("1h30m", 5400), ("90", 90), ("1.5h", 5400), ("1month", 2_629_800),
     ("2 weeks", 1_209_600), ("1h 30", 3630), ("100ms", 0.1), ("1M", 2_629_800), (".5s", 0.5)],
)  # fmt: skip
def test_a_span_is_the_sum_of_its_parts(text: str, seconds: float) -> None:
    assert read_span(text) == seconds * 1_000_000


@pytest.mark.parametrize("text", ["", "min", "1H", "-5", "5 apples"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="is no time span"):
        read_span(text)


def test_an_interval_is_told_in_its_largest_unit() -> None:
    spans = [read_span(text) or 0 for text in ("1w", "36h", "90s", "100ms", "2d")]
    assert [every_of(span) for span in spans] == [
        [1, "week"], [36, "hour"], 90, 0.1, [2, "day"],
    ]  # fmt: skip
