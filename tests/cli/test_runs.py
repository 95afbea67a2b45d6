"""`jober runs`, `cancel`, `logs`, `leader`, `agents`, `events`."""

import re

import pytest

from jober.output import Frame, Stream
from jober.run import RunState
from jober.store.outputs import Piece
from tests.cli.conftest import Cli
from tests.store.hand import Hand
from tests.waiting import wait_until

STABLE = {
    *("id", "job", "state", "host", "agent", "attempt", "trigger", "fire_at"),
    *("started_at", "ended_at", "exit_code", "reason"),
}


@pytest.fixture
def some(hand: Hand) -> list[str]:
    """A run that failed, one that succeeded, one that waits; oldest first."""
    hand.job("job", concurrency=10)
    hand.agent()
    ids = [hand.run(), hand.run()]
    for claim in hand.claim():
        failed = claim.id == ids[0]
        state = RunState.FAILED if failed else RunState.SUCCESS
        reason = "exit status 3" if failed else None
        hand.finish(claim, state, exit_code=3 if failed else 0, reason=reason)
    return [*ids, hand.run()]


def write(hand: Hand, run: str, *pieces: tuple[Stream, bytes], missing: int = 0) -> None:
    """What a run wrote; after its first frame, `missing` bytes were cut out."""
    found: list[Frame] = []
    for seq, (stream, data) in enumerate(pieces, 1):
        offset = (found[-1].end if found else 0) + (missing if seq == 2 else 0)
        found.append(Frame(seq=seq, stream=stream, at_ms=1, offset=offset, data=data))
    hand.store.outputs.add([Piece(run=run, frames=tuple(found))])


def test_runs_are_listed_newest_first_with_stable_names(cli: Cli, some: list[str]) -> None:
    found = cli("runs", "--json").json
    assert {run["id"] for run in found} == set(some)
    assert found[0]["state"] == "queued"
    assert STABLE <= set(found[0])
    assert len(cli("runs", "job", "-n", "2", "--json").json) == 2


def test_runs_of_one_state(cli: Cli, some: list[str]) -> None:
    title, line = cli("runs", "--state", "failed").text.splitlines()
    assert title.split() == ["RUN", "STATE", "HOST", "STARTED", "TOOK", "WHY"]
    assert line.split()[:3] == [some[0], "failed", "host1"]
    assert line.endswith("exit status 3")
    assert cli("runs", "--state", "lost").err == "jober: no run is lost: jober run NAME\n"


def test_runs_of_a_job_that_is_not_there(cli: Cli, some: list[str]) -> None:
    done = cli("runs", "jbo")
    assert (done.status, done.err) == (1, "jober: no job is named 'jbo', did you mean 'job'?\n")


def test_a_run_that_waits_is_cancelled_at_once(cli: Cli, some: list[str], hand: Hand) -> None:
    assert cli("cancel", some[2]).text == f"cancelled {some[2]}, which had not started\n"
    assert hand.state(some[2]) is RunState.CANCELLED
    assert cli("cancel", some[1]).text == f"{some[1]} had ended as success\n"


def test_a_run_that_goes_on_is_asked_to_stop(cli: Cli, some: list[str], hand: Hand) -> None:
    hand.claim()
    done = cli("cancel", some[2], "--json").json
    assert (done["cancel"], done["state"]) == ("asked", "running")
    assert "asked to stop" in cli("runs", "-n", "1").text


def test_a_job_is_not_cancelled_in_place_of_a_run(cli: Cli, some: list[str]) -> None:
    done = cli("cancel", "job")
    assert done.status == 1
    assert done.err == (
        f"jober: 'job' is a job, not a run; its live runs: {some[2]} "
        "(all of them: jober cancel --job job)\n"
    )
    assert "no run has the id 'nope'" in cli("cancel", "nope").err


def test_logs_are_passed_through_byte_for_byte(cli: Cli, some: list[str], hand: Hand) -> None:
    pieces = [
        (Stream.STDOUT, b"1\x00\xff\r\n2"),
        (Stream.STDERR, b"e\xc5"),
        (Stream.STDOUT, b"\x1b[0m\n"),
        (Stream.STDERR, b"\x82\nlast"),
    ]
    write(hand, some[0], *pieces)
    whole = b"".join(data for _, data in pieces)
    err = b"".join(data for stream, data in pieces if stream is Stream.STDERR)
    assert cli("logs", some[0]).out == whole
    assert cli("logs", some[0], "-f").out == whole
    assert cli("logs", some[0], "--stderr").out == err
    assert cli("logs", some[0], "--stdout").out == b"1\x00\xff\r\n2\x1b[0m\n"
    assert cli("logs", some[0], "--head", "1").out == b"1\x00\xff\r\n"
    assert cli("logs", some[0], "--head", "1", "-f").out == b"1\x00\xff\r\n"
    assert cli("logs", some[0], "--tail", "1").out == b"last"
    assert cli("logs", some[0], "--tail", "1", "--stderr", "-f").out == b"last"
    assert cli("logs", some[0], "--tail", "0").out == b""


def test_a_mark_on_stderr_says_what_the_cap_cut(cli: Cli, some: list[str], hand: Hand) -> None:
    write(hand, some[0], (Stream.STDOUT, b"one\n"), (Stream.STDOUT, b"two\n"), missing=7)
    for call in ([], ["-f"], ["--tail", "2"]):
        done = cli("logs", some[0], *call)
        assert done.out == b"one\ntwo\n", done.err
        assert done.err == "jober: [... 7 bytes truncated ...]\n"
    # What is left of the line before it may have been its beginning.
    assert cli("logs", some[0], "--tail", "1").err == "jober: [... 7 bytes truncated ...]\n"
    assert cli("logs", some[0], "--head", "1").err == ""


def test_a_jobs_name_stands_for_its_newest_run(cli: Cli, some: list[str], hand: Hand) -> None:
    hand.job("quiet")
    newest = cli("runs", "job", "-n", "1", "--json").json[0]["id"]
    write(hand, newest, (Stream.STDOUT, b"newest\n"))
    assert cli("logs", "job").out == b"newest\n"
    assert cli("logs", "quiet").err == "jober: job 'quiet' has not run yet: jober run quiet\n"
    assert "'nope' is neither a run nor a job" in cli("logs", "nope").err


def test_run_enqueues_and_returns_at_once(cli: Cli, some: list[str], hand: Hand) -> None:
    done = cli("run", "job")
    assert done.status == 0
    id = done.text.strip()
    assert done.err == f"jober: follow it with: jober logs -f {id}\n"
    assert hand.state(id) is RunState.QUEUED
    assert cli("run", "job", "--json").json["trigger"] == "manual"
    assert cli("run", "job", "--arg", '"a b"', "--json").json["description"] == "true 'a b'"
    assert cli("run", "job", "--kwarg", "n=2", "--json").json["description"] == "true --n 2"


def test_a_run_that_nobody_can_take_is_told_so(cli: Cli, hand: Hand) -> None:
    hand.job("gpu", roles=["gpu"])
    done = cli("run", "gpu")
    assert done.status == 0
    assert "it waits: no live host has a role that it asks for" in done.err


def test_a_host_that_is_not_live_is_refused(cli: Cli, some: list[str], hand: Hand) -> None:
    assert cli("run", "job", "--host", "host1", "--json").json["host"] == "host1"
    done = cli("run", "job", "--host", "hots1")
    assert done.status == 1
    assert "no agent is live on host 'hots1', did you mean 'host1'?" in done.err


def test_a_job_of_every_host_makes_a_run_on_each(cli: Cli, hand: Hand) -> None:
    hand.job("disk", on="every")
    assert "no live host for role default" in cli("run", "disk").err
    hand.agent()
    hand.agent("host2-bbbbbb")
    assert [run["host"] for run in cli("run", "disk", "--json").json] == ["host1", "host2"]
    assert len(cli("run", "disk").text.splitlines()) == 2
    refused = cli("run", "disk", "--follow")
    assert (refused.status, refused.out) == (1, b"")
    assert "name one with --host (host1, host2)" in refused.err


def test_agents_and_the_leader_are_told(cli: Cli, hand: Hand) -> None:
    hand.agent()
    title, line = cli("agents").text.splitlines()
    assert title.split()[:4] == ["HOST", "ROLES", "STATE", "RUNS"]
    assert line.split()[:4] == ["host1", "default", "up", "0/10"]
    assert cli("agents", "--json").json[0]["id"] == "host1-aaaaaa"
    assert cli("leader").text.startswith("node leads: pid 1, since ")
    assert set(cli("leader", "--json").json) == {"node", "host", "pid", "term", "since"}


def test_no_leader_is_a_failure(cli: Cli) -> None:
    done = cli("leader", "--json")
    assert (done.status, done.json) == (1, None)
    assert "no scheduler leads" in cli("leader").err


def test_events_are_told_oldest_first(cli: Cli, some: list[str]) -> None:
    found = cli("events", "--json").json
    assert found == sorted(found, key=lambda event: event["at"])
    assert {"run.queued", "run.started", "run.finished"} <= {event["type"] for event in found}
    assert found[-1]["at"].endswith("Z")
    last = cli("events", "-n", "1").text
    assert last.split()[1:] == ["run.queued", some[2], "trigger", "manual"]


def test_a_run_that_is_tried_again_tells_when_and_why(cli: Cli, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    hand.put_off(hand.claim()[0], 600, exit_code=3, reason="exit code 3")
    assert re.search(rf"{id} +delayed +host1 +again \S+ in 10 min +exit code 3\n", cli("runs").text)
    retrying = rf"run\.retrying +{id}  failed  .*exit code 3.*  again in 10 min\n"
    assert re.search(retrying, cli("events").text)
    assert cli("cancel", id).text == f"cancelled {id}, which waited for another attempt\n"
    assert hand.state(id) is RunState.CANCELLED


def test_all_about_a_run_with_each_of_its_attempts(cli: Cli, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    hand.agent("host2-bbbbbb")
    id = hand.run()
    hand.put_off(hand.claim()[0], exit_code=3, reason="exit code 3")
    assert re.search(r"\n  again +\S+ \(.*\)\n", cli("show", id).text)
    hand.store.leases.promote()
    (claim,) = hand.claim("host2-bbbbbb", 1, "default")
    hand.finish(claim, agent="host2-bbbbbb", exit_code=0, return_value={"a": [1]})
    text = cli("show", id).text
    assert text.startswith(f"{id}  success\n  job         job\n")
    assert re.search(r"\n1  failed   host1  \S+ +\d+ ms  exit code 3\n", text)
    assert re.search(r"\n2  success  host2  \S+ +\d+ ms\n", text)
    assert '\n  returned    {"a": [1]}\n' in text
    told = cli("show", id, "--json").json
    assert (told["id"], told["result"]) == (id, {"a": [1]})
    assert [(one["attempt"], one["state"]) for one in told["attempts"]] == [
        (1, "failed"),
        (2, "success"),
    ]


def test_a_run_that_was_tried_once_has_no_list_of_attempts(cli: Cli, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    assert "Attempts" not in cli("show", id).text
    hand.finish(hand.claim()[0], RunState.FAILED, reason="E: x", traceback="Traceback\n  E: x\n")
    text = cli("show", id).text
    assert "Attempts" not in text
    assert "\nTraceback\n  Traceback\n    E: x\n" in text
    assert "no job is named 'other'" in cli("show", "other").err


def test_a_run_by_hand_may_expire_sooner_than_its_job_says(cli: Cli, hand: Hand) -> None:
    hand.job(expires=60)
    id = cli("run", "job", "--expires", "0.001").text.strip()
    assert wait_until(hand.store.leases.miss) == [id]
    assert re.search(rf"{id} +missed ", cli("runs").text)
    wrong = cli("run", "job", "--expires", "0")
    assert (wrong.status, wrong.out) == (1, b"")
    assert "expires: 0.0 is not a number of seconds above 0" in wrong.err


def test_a_run_is_shown_with_the_definition_that_it_was_made_from(cli: Cli, hand: Hand) -> None:
    hand.job(timeout=30)
    run = hand.run()
    assert "revision 1, as it is now" in cli("show", run).text
    hand.job(timeout=60, title="slower")
    told = cli("show", run)
    assert "revision 1, changed since: timeout: 30 → 60; title: none → 'slower'" in " ".join(
        told.text.split()
    )
    assert cli("show", run, "--json").json["definition"] == {"command": "true", "timeout": 30}
    cli("remove", "job")
    assert "of a job that has been removed" in " ".join(cli("show", run).text.split())
