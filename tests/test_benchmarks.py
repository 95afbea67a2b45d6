"""Each benchmark that needs no peer works, small; what it measures is no matter here."""

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.section import Bar, Section

ALONE = ("commands", "stages", "latency", "processes", "starts", "output", "scale")


@pytest.mark.parametrize("name", ALONE)
def test_a_benchmark_tells_its_figures(name: str) -> None:
    sections: list[Section] = import_module(f"benchmarks.{name}").measure(1, 0.02)
    assert sections
    for section in sections:
        assert section.rows
        assert all(len(row) == len(section.columns) for row in section.rows)


def test_an_agent_executes_what_a_queue_is_filled_with_for_the_measure() -> None:
    throughput = import_module("benchmarks.throughput")
    ours = [runner for runner in throughput.RUNNERS if runner.ours]
    assert len(ours) == 2
    for runner in ours:
        # Raises where one of the last has not run. All may have ended at the first look.
        assert throughput.rate(runner, 60) >= 0


def test_the_page_has_a_table_of_each_section(tmp_path: Path) -> None:
    section = Section(
        title="A title",
        how="How it was.",
        columns=("what", "figure"),
        rows=(("one", "1"), ("two", "2")),
        notes=("It came to this.",),
    )
    page = report.write({"name": [section]}, [("date", "2026-11-21")], tmp_path).read_text()
    assert "## A title\n\nHow it was.\n\n| what | figure |\n| --- | ---: |\n| one | 1 |" in page
    assert "- It came to this." in page
    assert report.write({"name": [section]}, [("date", "2026-11-21")], tmp_path).read_text() == page


def test_figures_measured_in_pieces_make_one_page(tmp_path: Path) -> None:
    machine = [("date", "2026-11-21"), ("processor", "2 cores")]
    bars = (Bar(label="ours", value=2.0, ours=True),)
    one = Section(title="One", how="So.", columns=("what", "figure"), rows=(("a", "1"),), bars=bars)
    two = Section(title="Two", how="So.", columns=("what", "figure"), rows=(("b", "2"),))
    report.keep({"one": [one]}, machine, tmp_path / "one.json")
    report.keep({"two": [two]}, machine, tmp_path / "two.json")
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    assert report.kept(files) == ({"one": [one], "two": [two]}, machine)
    report.keep({"two": [two]}, [("date", "2026-11-22"), machine[1]], files[1])
    with pytest.raises(ValueError, match=r"two.json is not of the same date as those before it"):
        report.kept(files)
