"""`jober archive`, and what reads it: `jober runs --archive` and `jober logs --archive`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.log_line import LogLine
from jober.output import Frame, Stream
from jober.store import Store
from jober.store.outputs import Piece
from tests.cli.conftest import Cli
from tests.store.hand import Hand


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an archive that is not made yet, as everybody knows it."""
    url = f"sqlite:///{tmp_path}/archive.db"
    monkeypatch.setenv("JOBER_ARCHIVE_URL", url)
    yield url


@pytest.fixture
def run(store: Store, hand: Hand) -> str:
    """A run that has ended, with output and a log record."""
    hand.job(tags=["db"])
    hand.agent()
    id = hand.run()
    [claim] = hand.claim()
    line = LogLine(at_ms=1_000, level="WARNING", logger="app", message="nearly full").to_bytes()
    written = (
        Frame(seq=1, stream=Stream.STDOUT, at_ms=5, offset=0, data=b"one\ntwo\n"),
        Frame(seq=2, stream=Stream.LOG, at_ms=5, offset=8, data=line),
        Frame(seq=3, stream=Stream.STDERR, at_ms=5, offset=8 + len(line), data=b"three\n"),
    )
    store.outputs.add([Piece(run=id, frames=written)])
    hand.finish(claim, exit_code=0)
    return id


def test_runs_are_archived_and_read_there(cli: Cli, run: str, url: str) -> None:
    assert cli("archive").text == "0 runs archived\n"
    assert cli("archive", "--older-than", "0", "--json").json["runs"] == 1
    assert cli("runs", "--json").json == []
    for asked in ((), ("--tag", "db"), ("--host", "host1"), ("--state", "success")):
        [found] = cli("runs", "job", "--archive", "--json", *asked).json
        assert (found["id"], found["state"]) == (run, "success")
    assert run in cli("runs", "--archive-url", url).text
    assert cli("runs", "--archive", "--until", "1h", "--json").json == []
    assert "no such run" in cli("runs", "--archive", "--after", run).err


def test_what_an_archived_run_has_written_is_printed_as_it_was(
    cli: Cli, run: str, url: str
) -> None:
    before = [cli("logs", run, *asked).out for asked in ((), ("--stderr",), ("--tail", "2"))]
    cli("archive", "--older-than", "0")
    after = [
        cli("logs", run, "--archive", *asked).out for asked in ((), ("--stderr",), ("--tail", "2"))
    ]
    assert after == before
    assert after[1] == b"three\n"
    assert cli("logs", run, "--archive", "--head", "1").out == b"one\n"
    record = cli("logs", run, "--archive", "--log").text
    assert "WARNING app: nearly full" in record
    assert cli("logs", "absent", "--archive").status == 1
    assert cli("logs", run, "--archive", "--follow").status == 2


def test_what_is_kept_long_enough_is_forgotten(cli: Cli, run: str, url: str) -> None:
    cli("archive", "--older-than", "0")
    told = cli("archive", "--keep-logs", "debug=1d,warning=0").text
    assert told == "0 runs archived\n1 × log record forgotten\n"
    told = cli("archive", "--keep-runs", "0s", "--keep-output", "1d").text
    assert told == "0 runs archived\n1 × archived run forgotten\n"


def test_what_cannot_be_done_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBER_ARCHIVE_URL", raising=False)
    done = cli("archive")
    assert done.status == 1
    assert "or set JOBER_ARCHIVE_URL" in done.err
    assert cli("archive", "--keep-logs", "debug").status == 2
    assert "is no span of time" in cli("archive", "--older-than", "soon").err


def test_runs_are_listed_by_host_time_and_tag_and_page(cli: Cli, store: Store, hand: Hand) -> None:
    hand.job(overlap="allow", tags=["db"])
    hand.job("other", overlap="allow")
    hand.agent()
    ids = [hand.run(name) for name in ("job", "other", "job")]
    for n, id in enumerate(ids):
        at_ms = store.clock.now_ms() - (3 - n) * 3_600_000
        store.connection.command("ZADD", "jober:runs", at_ms, id)
    [claim, *_] = hand.claim(n=1)

    def listed(*asked: str) -> list[str]:
        return [run["id"] for run in cli("runs", "--json", *asked).json]

    assert listed() == ids[::-1]
    assert listed("--tag", "db") == [ids[2], ids[0]]
    assert listed("--since", "90m") == [ids[2]]
    assert listed("--until", "90m") == [ids[1], ids[0]]
    assert listed("--host", "host1") == [claim.id]
    assert listed("-n", "1", "--after", ids[2]) == [ids[1]]
    assert "is no moment" in cli("runs", "--since", "soon").err
