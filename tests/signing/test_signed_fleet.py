"""With keys, a fleet does all it can, and nothing that none of them has signed."""

from pathlib import Path

from jober.embedded import RedisServer
from tests.everything import end_all, make_all_happen, observed, wait_for_all
from tests.receiver import Receiver
from tests.signing.signed_fleet import SignedFleet


def test_a_fleet_that_runs_what_is_signed_alone_does_all_it_can(tmp_path: Path) -> None:
    with RedisServer() as server:
        fleet = SignedFleet(server.url, tmp_path)
        try:
            with observed(server.url) as observer, Receiver() as receiver:
                make_all_happen(fleet, observer, receiver.url)
                wait_for_all(fleet.jober, observer)
                runs = fleet.jober.runs(limit=1000)
                end_all(fleet, observer)
                assert observer.problems == set()
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown where it fails
    assert [run.reason for run in runs if (run.reason or "").startswith("refused: ")] == []
