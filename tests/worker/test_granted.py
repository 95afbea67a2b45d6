"""What a host remembers of the signed runs that it has had."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE

import pytest

from jober.signing import Granted
from jober.signing.keyring import NotBelieved
from jober_worker.granted import HOUR_MS, GrantedRuns
from jober_worker.shared_log import NotKept

NOW = 500_000 * HOUR_MS
ROOT = Path(__file__).parent.parent.parent


def granted(run: str, ordered_ms: int = NOW, job: str | None = None, sealed_ms: int = 0) -> Granted:
    return Granted(of=run, job=job, sealed_ms=sealed_ms, ordered_ms=ordered_ms)


def opened(folder: Path, at_most: int = 1000) -> GrantedRuns:
    runs = GrantedRuns(folder / "granted", lambda: NOW, at_most)
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


def test_the_newest_definitions_are_kept_in_no_more_lines_than_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jober_worker.granted.TOO_MANY_LINES", 10)
    first = opened(tmp_path)
    for n in range(20):
        first.grant(granted(f"a{n}", job="j", sealed_ms=NOW - 40_000 + n), 1)
    second = opened(tmp_path)
    kept = tmp_path / "granted" / "jobs"
    assert kept.read_text() == f"{NOW - 39_981} j\n"
    # The first goes on in the file that has taken the place of its own.
    second.grant(granted("b", job="j", sealed_ms=NOW - 20_000), 1)
    with pytest.raises(NotBelieved, match="was put back"):
        first.grant(granted("c", job="j", sealed_ms=NOW - 30_000), 1)
    first.grant(granted("d", job="k", sealed_ms=NOW), 1)
    assert kept.read_text().splitlines() == [
        f"{NOW - 39_981} j",
        f"{NOW - 20_000} j",
        f"{NOW} k",
    ]


def test_a_run_that_is_ordered_anew_is_granted_no_more_often(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    runs.grant(granted("a", NOW - 5 * HOUR_MS), 1)
    for again in (runs, opened(tmp_path)):
        with pytest.raises(NotBelieved, match="was run here before"):
            again.grant(granted("a"), 1)


def test_where_what_is_kept_is_damaged_nothing_from_before_is_granted(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    runs.grant(granted("a", NOW - HOUR_MS), 1)
    runs.grant(granted("b", NOW + 1), 1)
    kept = tmp_path / "granted" / str(NOW // HOUR_MS)
    first, rest = kept.read_bytes().split(b"\n", 1)
    kept.write_bytes(b"\0" * len(first) + b"\n" + rest)
    runs = opened(tmp_path)
    with pytest.raises(NotBelieved, match="before what this host remembers"):
        runs.grant(granted("a", NOW - HOUR_MS), 1)
    with pytest.raises(NotBelieved, match="was run here before"):
        runs.grant(granted("b", NOW + 1), 1)
    runs.grant(granted("c", NOW + 1), 1)


def test_what_is_too_much_is_forgotten_and_not_granted_again(tmp_path: Path) -> None:
    runs = opened(tmp_path)
    for number in range(8):
        runs.grant(granted(f"r{number}", NOW - (7 - number) * HOUR_MS), 1)
    runs = opened(tmp_path, at_most=4)
    runs = opened(tmp_path, at_most=4)  # the next agent knows it too
    with pytest.raises(NotBelieved, match="before what this host remembers"):
        runs.grant(granted("r0", NOW - 7 * HOUR_MS), 1)
    with pytest.raises(NotBelieved, match="was run here before"):
        runs.grant(granted("r7"), 1)
    runs.grant(granted("new"), 1)


def test_what_nobody_can_be_granted_any_more_is_kept_no_longer(tmp_path: Path) -> None:
    now = [NOW]
    runs = GrantedRuns(tmp_path / "kept", lambda: now[0], 4)
    for number in range(200):
        runs.grant(granted(f"r{number}", now[0] - HOUR_MS), 1)
        now[0] += HOUR_MS // 10
    files = [file for file in (tmp_path / "kept").iterdir() if file.name.isdecimal()]
    assert len(files) < 4
    next_one = GrantedRuns(tmp_path / "kept", lambda: now[0], 4)
    for number in range(200):
        with pytest.raises(NotBelieved):
            next_one.grant(granted(f"r{number}", NOW + (number - 10) * HOUR_MS // 10), 1)


def test_agents_of_one_host_see_what_the_others_were_granted(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    one.grant(granted("a", job="j", sealed_ms=NOW - 20_000), 1)
    with pytest.raises(NotBelieved, match="was run here before"):
        other.grant(granted("a"), 1)
    with pytest.raises(NotBelieved, match="was put back"):
        other.grant(granted("b", job="j", sealed_ms=NOW - 30_000), 1)
    other.grant(granted("c"), 2)
    one.grant(granted("c"), 2)
    for runs in (one, other):
        with pytest.raises(NotBelieved, match="was run here before"):
            runs.grant(granted("c"), 2)


def test_all_that_want_one_run_at_once_get_it_once(tmp_path: Path) -> None:
    """Each opens the folder by itself, as processes do."""

    opened(tmp_path)

    def granted_to(_: int) -> int:
        runs, had = opened(tmp_path), 0
        for number in range(200):
            try:
                runs.grant(granted(f"r{number}"), 1)
                had += 1
            except NotBelieved:
                pass
        return had

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(granted_to, range(4))) == 200


# An agent whose disk is full: it is granted a and b, tells so, and goes on until it is told.
FULL = """
import sys
from pathlib import Path
from tests.worker.test_granted import granted, opened
runs = opened(Path(sys.argv[1]))
for name in ("a", "b"):
    runs.grant(granted(name), 1)
try:
    runs.grant(granted("a"), 1)
except Exception as error:
    print(error, flush=True)
input()
"""


def test_what_could_not_be_written_is_not_granted_after_the_next_start(tmp_path: Path) -> None:
    opened(tmp_path).grant(granted("before"), 1)
    full = tmp_path / "granted" / str(NOW // HOUR_MS)
    full.rename(tmp_path / "aside")
    full.symlink_to("/dev/full")
    with subprocess.Popen(
        [sys.executable, "-c", FULL, str(tmp_path)], stdin=PIPE, stdout=PIPE, cwd=ROOT
    ) as agent:
        assert agent.stdin is not None and agent.stdout is not None
        assert b"was run here before" in agent.stdout.readline()
        # No other agent of the host may, as long as this one is there.
        with pytest.raises(NotKept, match="another agent of this host"):
            GrantedRuns(tmp_path / "granted", lambda: NOW).grant(granted("a"), 1)
        agent.stdin.close()
    full.unlink()
    for _ in range(2):
        runs = opened(tmp_path)
        for name in ("before", "a", "b"):
            with pytest.raises(NotBelieved, match="before what this host remembers"):
                runs.grant(granted(name), 1)
    runs.grant(granted("c", NOW + 1), 1)
    with pytest.raises(NotBelieved, match="was run here before"):
        opened(tmp_path).grant(granted("c", NOW + 1), 1)


def test_where_nothing_can_be_noted_nothing_is_granted(tmp_path: Path) -> None:
    (tmp_path / "granted").write_text("no folder")
    runs = opened(tmp_path)
    with pytest.raises(NotKept, match="cannot be used"):
        runs.grant(granted("a"), 1)
    (tmp_path / "granted").unlink()
    runs.grant(granted("a"), 1)


def test_a_start_on_a_full_disk_does_not_say_that_nothing_is_missing(tmp_path: Path) -> None:
    opened(tmp_path).grant(granted("a"), 1)
    whole = tmp_path / "granted" / "whole"
    whole.unlink()
    (tmp_path / "granted" / "since").symlink_to("/dev/full")
    runs = opened(tmp_path)
    with pytest.raises(NotBelieved, match="before what this host remembers"):
        runs.grant(granted("b"), 1)
    runs.grant(granted("c", NOW + 1), 1)
    assert not whole.exists()
