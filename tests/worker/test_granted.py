"""What a host remembers of the signed runs that it has had."""

from pathlib import Path

import pytest

from jober.signing import Granted
from jober.signing.keyring import NotBelieved
from jober_worker.granted import HOUR_MS, GrantedRuns

NOW = 500_000 * HOUR_MS


def granted(run: str, ordered_ms: int = NOW, job: str | None = None, sealed_ms: int = 0) -> Granted:
    return Granted(of=run, job=job, sealed_ms=sealed_ms, ordered_ms=ordered_ms)


def opened(folder: Path, at_most: int = 1000) -> GrantedRuns:
    runs = GrantedRuns(folder, lambda: NOW, at_most)
    runs.open()
    return runs


def test_a_run_is_granted_as_often_as_it_may_be_by_all_agents_of_a_host(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    runs.grant(granted("a"), 2)
    runs = opened(tmp_path)
    runs.grant(granted("a"), 2)
    runs.grant(granted("b"), 1)
    for again in (runs, opened(tmp_path)):
        for run, times in (("a", 2), ("b", 1)):
            with pytest.raises(NotBelieved, match="was run here before"):
                again.grant(granted(run), times)


def test_no_definition_is_run_after_a_newer_one(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    runs.grant(granted("a", job="j", sealed_ms=NOW - 20_000), 1)
    for again in (runs, opened(tmp_path)):
        with pytest.raises(NotBelieved, match="was put back"):
            again.grant(granted("b", job="j", sealed_ms=NOW - 30_000), 1)
    # One that was ordered before the change has waited.
    runs.grant(granted("c", NOW - 25_000, job="j", sealed_ms=NOW - 30_000), 1)


def test_a_run_that_is_ordered_anew_is_granted_no_more_often(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    runs.grant(granted("a", NOW - 5 * HOUR_MS), 1)
    for again in (runs, opened(tmp_path)):
        with pytest.raises(NotBelieved, match="was run here before"):
            again.grant(granted("a"), 1)


def test_where_what_is_kept_is_damaged_nothing_of_that_hour_is_granted(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    runs.grant(granted("a", NOW - HOUR_MS), 1)
    runs.grant(granted("b"), 1)
    (tmp_path / str(NOW // HOUR_MS - 1)).write_bytes(b"\0" * 17 + b"\n")
    runs = opened(tmp_path)
    with pytest.raises(NotBelieved, match="before what this host remembers"):
        runs.grant(granted("a", NOW - HOUR_MS), 1)
    with pytest.raises(NotBelieved, match="was run here before"):
        runs.grant(granted("b"), 1)
    runs.grant(granted("c"), 1)


def test_what_is_too_much_is_forgotten_and_not_granted_again(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    for number in range(8):
        runs.grant(granted(f"r{number}", NOW - (7 - number) * HOUR_MS), 1)
    runs = opened(tmp_path, at_most=4)
    assert len([file for file in tmp_path.iterdir() if file.name.isdecimal()]) == 4
    runs = opened(tmp_path, at_most=4)  # the next agent knows it too
    with pytest.raises(NotBelieved, match="before what this host remembers"):
        runs.grant(granted("r0", NOW - 7 * HOUR_MS), 1)
    with pytest.raises(NotBelieved, match="was run here before"):
        runs.grant(granted("r7"), 1)
    runs.grant(granted("new"), 1)
