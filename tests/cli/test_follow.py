"""Following runs of a real agent, as other programs see it."""

import json
import re
import signal
import subprocess
from pathlib import Path

from jober.embedded import RedisServer
from jober.output import Frame, Stream
from jober.run import RunState
from jober.store import Store
from jober.store.outputs import Piece
from tests.fleet import BIN, Fleet
from tests.store.hand import Hand
from tests.waiting import wait_until


def start(fleet: Fleet, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [str(BIN / "jober"), *arguments, "--redis", fleet.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_follower_gets_the_streams_and_the_exit_status_of_its_run(fleet: Fleet) -> None:
    fleet.agent("alpha")
    shell = {"shell": True, "grace": 1}
    add = fleet.jober.add_job
    add("both", command=r"printf 'a\0\377'; sleep 0.2; echo e >&2; exit 7", **shell)
    add("slow", command="echo begun; sleep 60", timeout=1, **shell)
    add("long", command="echo begun; sleep 60", concurrency=2, **shell)
    add("sum", call="operator:add", args=[1, 2])
    both, slow, none = (start(fleet, "run", job, "-f") for job in ("both", "slow", "sum"))
    out, err = both.communicate(timeout=60)
    assert (out, both.returncode) == (b"a\0\xff", 7)
    assert err.startswith(b"e\njober: both-m") and b"ended as failed" in err
    none.communicate(timeout=60)
    assert none.returncode == 0
    out, err = slow.communicate(timeout=60)
    assert (out, slow.returncode) == (b"begun\n", 124)

    # Ctrl-C leaves the run alone; cancelling it ends another follower with its own status.
    follower = start(fleet, "run", "long", "-f")
    assert follower.stdout is not None
    assert follower.stdout.readline() == b"begun\n"
    [run] = fleet.jober.runs("long")
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=60)
    assert follower.returncode == 130
    assert err.decode().startswith(f"jober: {run.id} goes on")
    assert fleet.jober.handle(run.id).state is RunState.RUNNING
    other = start(fleet, "logs", "long", "-f")
    assert other.stdout is not None
    assert other.stdout.readline() == b"begun\n"
    cancelled = start(fleet, "cancel", run.id, "--wait")
    assert cancelled.communicate(timeout=60)[0] == f"{run.id} ended as cancelled\n".encode()
    assert other.communicate(timeout=60)[0] == b""
    assert other.returncode == 0


def test_a_follower_waits_out_a_restart_of_redis_and_goes_on(tmp_path: Path) -> None:
    def write(seq: int, data: bytes) -> None:
        frame = Frame(seq=seq, stream=Stream.STDOUT, at_ms=1, offset=2 * seq - 2, data=data)
        store.outputs.add([Piece(run=run, frames=(frame,))])

    with RedisServer(tmp_path, durable=True) as server:
        store = Store(server.url)
        hand = Hand(store)
        hand.job()
        run = hand.run()
        [claim] = hand.claim()
        write(1, b"1\n")
        follower = subprocess.Popen(
            [str(BIN / "jober"), "logs", run, "-f", "--redis", server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert follower.stdout is not None and follower.stderr is not None
        assert follower.stdout.readline() == b"1\n"
        server.kill()
        assert b"waiting for Redis" in follower.stderr.readline()
        server.start()
        write(2, b"2\n")
        hand.finish(claim)
        assert follower.communicate(timeout=60) == (b"2\n", b"")
        assert follower.returncode == 0
        store.close()


def test_followed_events_go_on_over_a_restart_of_redis(tmp_path: Path) -> None:
    with RedisServer(tmp_path, durable=True) as server:
        store = Store(server.url)
        Hand(store).job("first")
        follower = subprocess.Popen(
            [str(BIN / "jober"), "events", "-f", "-n", "1", "--json", "--redis", server.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert follower.stdout is not None and follower.stderr is not None
        assert json.loads(follower.stdout.readline())["job"] == "first"
        server.kill()
        assert b"waiting for Redis" in follower.stderr.readline()
        server.start()
        store.jobs.pause("first", True)
        assert json.loads(follower.stdout.readline())["type"] == "job.paused"
        follower.send_signal(signal.SIGINT)
        assert follower.communicate(timeout=15) == (b"", b"")
        assert follower.returncode == 130
        store.close()


def test_followed_events_are_json_lines_as_they_happen(fleet: Fleet) -> None:
    fleet.jober.add_job("hello", command="true")
    follower = start(fleet, "events", "-f", "--json", "-n", "1")
    assert follower.stdout is not None
    assert json.loads(follower.stdout.readline())["type"] == "job.added"
    fleet.jober.pause("hello")
    assert json.loads(follower.stdout.readline())["type"] == "job.paused"
    follower.send_signal(signal.SIGINT)
    assert follower.communicate(timeout=60) == (b"", b"")
    assert follower.returncode == 130


def test_why_nothing_comes_is_told(fleet: Fleet) -> None:
    fleet.jober.add_job("gpu", command="true", roles=["gpu"])
    follower = start(fleet, "run", "gpu", "-f")
    assert follower.stderr is not None
    assert b"waits: no live host has a role that it asks for" in follower.stderr.readline()
    wait_until(lambda: fleet.jober.runs("gpu"))
    fleet.jober.handle(fleet.jober.runs("gpu")[0].id).cancel()
    follower.communicate(timeout=60)
    assert follower.returncode == 1


def test_a_host_whose_slots_are_taken_and_one_that_is_cordoned_are_told(fleet: Fleet) -> None:
    fleet.agent("alpha", slots=1)
    fleet.jober.add_job("long", command="sleep 60", grace=1)
    fleet.jober.add_job("next", command="echo done", concurrency=2)
    long = fleet.jober.run("long")
    wait_until(lambda: [agent.running for agent in fleet.jober.agents()] == [1])
    followers = [start(fleet, "run", "next", "-f", *more) for more in ([], ["--host", "alpha"])]
    for follower in followers:
        assert follower.stderr is not None
        assert b"waits: all slots of alpha are taken" in follower.stderr.readline()
    [run, *_] = fleet.jober.runs("next")
    shown = start(fleet, "show", run.id).communicate(timeout=60)[0].decode()
    assert "waits: all slots of alpha are taken" in shown

    fleet.jober.cordon("alpha")
    told = b"".join(follower.stderr.readline() for follower in followers if follower.stderr)
    assert b"waits for alpha, which is cordoned, and takes no new runs" in told
    assert b"takes new runs: alpha is cordoned (see" in told
    fleet.jober.uncordon("alpha")
    long.cancel()
    assert [follower.communicate(timeout=60)[0] for follower in followers] == [b"done\n"] * 2


def test_an_end_that_is_no_plain_success_is_told_with_its_reason(fleet: Fleet) -> None:
    fleet.agent("alpha")
    add = fleet.jober.add_job
    add("good", command="exit 3", shell=True, ok_exit_codes=[0, 3])
    add("nothing", command="exit 99", shell=True, skip_exit_codes=[99])
    add("object", call="builtins:object")
    good, nothing, odd = (start(fleet, "run", job, "-f") for job in ("good", "nothing", "object"))
    assert good.communicate(timeout=60) == (b"", b"")
    assert good.returncode == 0
    assert b" ended as skipped: exit code 99\n" in nothing.communicate(timeout=60)[1]
    assert nothing.returncode == 0
    told = odd.communicate(timeout=60)[1]
    assert b" ended as success: the return value is a object, not JSON" in told
    assert odd.returncode == 0


def test_between_two_attempts_it_is_told_when_the_next_one_is(store: Store, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    hand.put_off(hand.claim()[0], 600, reason="exit code 3")
    follower = subprocess.Popen(
        [str(BIN / "jober"), "logs", id, "-f", "--redis", store.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert follower.stderr is not None
    told = follower.stderr.readline().decode()
    assert re.fullmatch(
        rf"jober: {id} is tried again at \S+: attempt 1 did not succeed \(exit code 3\)\n", told
    )
    store.runs.cancel(id, "enough")
    assert follower.communicate(timeout=60) == (b"", b"")
