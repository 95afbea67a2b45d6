"""Tables that fit."""

from io import StringIO

from rich.console import Console

from jober.cli.table import Column, print_table

COLUMNS = [
    Column(title="RUN"),
    Column(title="STATE"),
    Column(title="WHY", cut=True),
    Column(title="HOST", drop=1),
    Column(title="PID", drop=2),
]
ROW = ["a-run-that-is-long", "failed", "because of this and because of that", "alpha", "123"]


def lines(width: int, *rows: list[str]) -> list[str]:
    file = StringIO()
    print_table(Console(file=file, width=width), COLUMNS, rows)
    return file.getvalue().splitlines()


def test_all_columns_are_shown_where_there_is_room() -> None:
    assert lines(100, ROW)[1].split("  ") == ROW


def test_columns_go_where_there_is_none_and_then_cells_are_cut() -> None:
    for width in (70, 60, 50, 45):
        told = lines(width, ROW)
        assert all(len(line) <= width for line in told)
        assert "a-run-that-is-long" in told[1]
    assert "PID" not in lines(55, ROW)[0]
    assert "HOST" not in lines(50, ROW)[0]
    assert "…" in lines(50, ROW)[1]


def test_what_one_may_want_to_copy_is_never_cut() -> None:
    assert "a-run-that-is-long" in lines(20, ROW)[1]


def test_a_column_with_nothing_in_it_is_not_shown() -> None:
    assert "WHY" not in lines(100, ["a", "success", "", "alpha", "1"])[0]
