"""`jober simulate`: a map, the busiest minutes, the jobs, and what would overlap."""

from pathlib import Path

import pytest

from jober.cli.heat_map import heat_map
from jober.schedule.zone import zone
from tests.cli.conftest import Cli
from tests.store.hand import Hand

FILE = """\
[jobs.tick]
command = "x"
every = 20
[jobs.hourly]
command = "x"
cron = "0 * * * *"
[jobs.night]
command = "x"
cron = "0 3 * * *"
timezone = "Europe/Warsaw"
overlap = "queue"
[jobs.hand]
command = "x"
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "fleet.toml"
    path.write_text(FILE)
    return str(path)


DAY = ("--from", "2026-11-21", "--to", "2026-11-22")


def test_a_day_is_shown_by_the_minute(cli: Cli, file: str) -> None:
    done = cli("simulate", file, *DAY)
    assert (done.status, done.err) == (0, "")
    lines = [line.rstrip() for line in done.text.splitlines()]
    assert lines[0] == "4345 fires of 3 jobs, 2026-11-21 00:00 to 2026-11-22 00:00 (UTC)"
    assert lines[2].split() == [":00", ":15", ":30", ":45"]
    assert lines[3] == f"2026-11-21 00:00  █{'▓' * 14}{(' ' + '▓' * 15) * 3}"
    assert lines[27].strip() == "fires each minute:  · 0   ░ 1   ▒ 2   ▓ 3   █ 4–5"
    assert lines[29].split() == ["BUSIEST", "MINUTES", "FIRES", "JOBS"]
    assert lines[30] == "2026-11-21 02:00      5  tick ×3, hourly, night"
    assert any(line.split()[:2] == ["tick", "4,320"] for line in lines[40:])
    assert any(line.split() == ["hand", "0", "by", "hand"] for line in lines)
    assert "OVERLAPS" not in done.text


def test_longer_times_are_shown_by_the_hour_in_the_zone_asked_for(cli: Cli, file: str) -> None:
    done = cli(
        "simulate", file, "--from", "2026-10-24", "--to", "2026-10-27", "--timezone",
        "Europe/Warsaw", "--json",
    )  # fmt: skip
    told = done.json
    # 73 hours: Warsaw repeats one.
    assert (told["by"], told["from"], told["to"]) == (
        "hour", "2026-10-23T22:00:00.000Z", "2026-10-26T23:00:00.000Z",
    )  # fmt: skip
    assert len(told["buckets"]) == 73 and told["fires"] == 73 * 181 + 3
    assert told["jobs"][3] == {
        "job": "hand", "schedule": "by hand", "fires": 0, "first": None, "last": None,
        "overlaps": None,
    }  # fmt: skip


def test_json_tells_all_of_it(cli: Cli, file: str) -> None:
    told = cli("simulate", file, *DAY, "--json", "--by", "hour", "--duration", "tick=50").json
    assert [bucket["fires"] for bucket in told["buckets"]] == [181, 181, 182, *[181] * 21]
    assert told["busiest"][0] == {
        "at": "2026-11-21T02:00:00.000Z",
        "fires": 5,
        "jobs": {"tick": 3, "hourly": 1, "night": 1},
    }
    tick, hourly, *_ = told["jobs"]
    assert tick["overlaps"]["overlapping"] == tick["overlaps"]["skipped"] == 2880
    assert tick["overlaps"]["first"][0] == "2026-11-21T00:00:20.000Z"
    assert hourly["overlaps"] is None


def test_durations_tell_which_fires_meet_a_run(cli: Cli, file: str) -> None:
    done = cli("simulate", file, *DAY, "--duration", "30", "--duration", "hourly=2h")
    assert done.status == 2 and "--duration 'hourly=2h' is not SECONDS" in done.err
    done = cli("simulate", file, *DAY, "--duration", "30", "--duration", "hourly=5400")
    rows = done.text.partition("OVERLAPS")[2].splitlines()[1:]
    assert [row.split("  ")[0] for row in rows] == ["tick", "hourly"]
    assert "12 of 24" in rows[1] and "12 skipped (overlap = skip)" in rows[1]
    done = cli("simulate", file, *DAY, "--duration", "1")
    assert "No fire finds an earlier run still going, of 3 jobs." in done.text


def test_durations_may_be_those_of_the_past(cli: Cli, file: str, hand: Hand) -> None:
    done = cli("simulate", file, *DAY, "--history")
    assert done.status == 0
    assert "no run of these jobs is known" in done.err
    hand.job("tick", every=20)
    hand.agent()
    hand.run("tick")
    (claim,) = hand.claim()
    hand.finish(claim)
    tick, hourly, *_ = cli("simulate", file, *DAY, "--history", "--json").json["jobs"]
    assert 0 < tick["overlaps"]["duration_s"] < 20
    assert tick["overlaps"]["overlapping"] == 0
    assert hourly["overlaps"] is None


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (["--from", "soon"], 2, "--from 'soon' is no moment"),
        (["--from", "2026-11-22", "--to", "2026-11-21"], 2, "--to is not after --from"),
        ([*DAY, "--by", "day"], 2, "--by is minute or hour, and not 'day'"),
        ([*DAY, "--duration", "0"], 2, "--duration '0' is not SECONDS"),
        ([*DAY, "--duration", "tack=5"], 1, "no job is named 'tack', did you mean 'tick'?"),
        ([*DAY, "--timezone", "Warsaw"], 1, "'Warsaw' is not a time zone"),
        (["--from", "2026-01-01", "--to", "2036-01-01"], 1, "more than 5,000,000 fires"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    cli: Cli, file: str, options: list[str], status: int, problem: str
) -> None:
    done = cli("simulate", file, *options)
    assert (done.status, done.out) == (status, b"")
    assert problem in done.err and done.err.count("\n") == 1


def test_a_map_that_would_be_too_long_is_left_out_with_the_mend(cli: Cli, file: str) -> None:
    done = cli("simulate", file, "--from", "2026-01-01", "--to", "2026-02-01", "--by", "minute")
    assert done.status == 0
    assert "the map would have more than 400 rows (--by hour, or a shorter time)" in done.err
    assert "BUSIEST" in done.text


def test_without_moments_it_is_the_coming_day(cli: Cli, file: str) -> None:
    told = cli("simulate", file, "--json").json
    assert [job["fires"] for job in told["jobs"]] == [4320, 24, 1, 0]


def test_cells_outside_of_the_time_are_empty() -> None:
    start = 1_795_219_200_000
    found = heat_map({start + 600_000: 7}, start + 600_000, start + 720_000, zone("UTC"), "minute")
    assert list(found.rows) == ["2026-11-21 00:00"]
    assert found.rows["2026-11-21 00:00"][9:13] == [None, 7, 0, None]
