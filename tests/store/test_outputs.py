"""Output: each frame once and in order, or a mark where the cap has cut."""

import threading

import msgpack

from jober.output import End, Frame, LogFile, Stream, Truncated
from jober.progress import Progress
from jober.run import RunState
from jober.store import Store
from jober.store.outputs import Piece
from tests.store.hand import Hand
from tests.waiting import wait_until


def frame(seq: int, data: bytes = b"x", offset: int | None = None) -> Frame:
    return Frame(
        seq=seq,
        stream=Stream.STDOUT,
        at_ms=1000 + seq,
        offset=(seq - 1) * len(data) if offset is None else offset,
        data=data,
    )


def test_frames_come_back_as_they_were_written(store: Store) -> None:
    frames = (
        Frame(seq=1, stream=Stream.STDOUT, at_ms=5, offset=0, data=b"\x00\xff\n"),
        Frame(seq=2, stream=Stream.STDERR, at_ms=6, offset=3, data="ä\n".encode()),
    )
    assert store.outputs.add([Piece(run="r", frames=frames)]) == [2]
    assert tuple(store.outputs.read("r")) == frames
    assert tuple(store.outputs.read("r", after=1)) == frames[1:]
    assert tuple(store.outputs.read_back("r")) == frames[::-1]


def test_frames_that_are_sent_twice_are_kept_once(store: Store) -> None:
    store.outputs.add([Piece(run="r", frames=(frame(1), frame(2)))])
    store.outputs.add([Piece(run="r", frames=(frame(1), frame(2), frame(3)))])
    assert [f.seq for f in store.outputs.read("r")] == [1, 2, 3]


def test_more_frames_than_a_page_are_read_in_order(store: Store) -> None:
    store.outputs.add([Piece(run="r", frames=tuple(frame(n) for n in range(1, 201)))])
    assert [f.seq for f in store.outputs.read("r")] == list(range(1, 201))
    assert [f.seq for f in store.outputs.read_back("r")] == list(range(200, 0, -1))


def test_a_log_has_an_end_of_its_own(store: Store) -> None:
    store.outputs.add([Piece(run="r", frames=(frame(1),))])
    assert store.connection.command("TTL", "jober:out:r:log") > 0


def test_a_follower_sees_what_was_what_comes_and_the_end(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.outputs.add([Piece(run=id, frames=(frame(1),))])
    seen: list[Frame | Truncated | Progress | End | None] = []
    follower = threading.Thread(target=lambda: seen.extend(store.outputs.follow(id)))
    follower.start()
    channels = store.connection
    wait_until(lambda: channels.command("PUBSUB", "NUMSUB", f"jober:out:{id}")[1])
    store.outputs.add([Piece(run=id, frames=(frame(2), frame(3)))])
    store.outputs.add([Piece(run=id, frames=(frame(3), frame(4)))])
    hand.finish(claim, RunState.FAILED, exit_code=3)
    follower.join(10)
    told = [one for one in seen if one is not None]
    assert [one.seq for one in told if isinstance(one, Frame)] == [1, 2, 3, 4]
    assert isinstance(told[-1], End)
    assert (told[-1].state, told[-1].exit_code) == ("failed", 3)


def test_the_end_is_published_to_who_listens_at_the_moment(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    with store.connection.client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(f"jober:out:{id}")
        wait_until(lambda: store.connection.command("PUBSUB", "NUMSUB", f"jober:out:{id}")[1])
        hand.finish(claim, RunState.FAILED, exit_code=3)
        message = wait_until(lambda: channel.get_message(timeout=1.0))
    assert msgpack.unpackb(message["data"]) == ["end", "failed", 3, 0]


def test_a_follower_that_missed_messages_reads_them_from_the_log(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    following = store.outputs.follow(id)
    assert next(following) is None
    client = store.connection.client
    # Frames reach the log, and nobody is told: as when the connection of the follower is cut.
    for n in (1, 2):
        client.xadd(
            f"jober:out:{id}:log",
            {"stream": "stdout", "at": n, "offset": n - 1, "data": b"x"},
            id=f"{n}-0",
        )
    store.outputs.add([Piece(run=id, frames=(frame(3),))])
    seen = [next(following) for _ in range(3)]
    assert [one.seq for one in seen if isinstance(one, Frame)] == [1, 2, 3]
    hand.finish(claim)
    assert isinstance(next(following), End)


def test_what_the_cap_cut_is_told_with_its_size(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    ten = b"0123456789"
    store.outputs.add([Piece(run=id, frames=tuple(frame(n, ten) for n in range(1, 6)))])
    store.outputs.add([Piece(run=id, frames=(frame(6, ten),), drop=(2, 3))])
    hand.finish(claim)
    seen = list(store.outputs.follow(id))
    assert [one.seq for one in seen if isinstance(one, Frame)] == [1, 4, 5, 6]
    assert seen[1] == Truncated(dropped=20)
    assert str(seen[1]) == "[... 20 bytes truncated ...]"
    # What the agent could not even send shows in the offsets alone.
    store.outputs.add([Piece(run="other", frames=(frame(1, ten), frame(2, ten, 500)))])


def test_the_output_of_an_unknown_run_ends_at_once(store: Store) -> None:
    assert list(store.outputs.follow("nope")) == [End(state="", exit_code=None, last_seq=0)]


def test_following_ends_when_its_time_is_over(store: Store, hand: Hand) -> None:
    hand.job()
    id = hand.run()
    assert [one for one in store.outputs.follow(id, timeout_s=0.2) if one] == []


def test_an_rq_job_that_nobody_has_taken_yet_is_waited_for(store: Store, hand: Hand) -> None:
    from rq import Queue
    from rq.serializers import JSONSerializer

    queue = Queue("default", connection=store.connection.client, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2)
    following = store.outputs.follow(job.id)
    assert next(following) is None
    hand.agent()
    (claim,) = hand.claim()
    hand.finish(claim, exit_code=0)
    assert next(one for one in following if one) == End(state="success", exit_code=0, last_seq=0)


def test_a_piece_of_an_attempt_that_is_over_is_passed_over(store: Store) -> None:
    store.connection.command("HSET", "rq:job:a", "attempt", 2, "origin", "default")
    frame = Frame(seq=1, stream=Stream.STDOUT, at_ms=5, offset=0, data=b"late")
    where = LogFile(attempt=1, offset=0, host="web1", path="/logs/a/1")
    assert store.outputs.add([Piece(run="a", attempt=1, frames=(frame,), file=where)]) == [0]
    assert store.outputs.add([Piece(run="gone", attempt=1, frames=(frame,))]) == [0]
    assert (list(store.outputs.read("a")), store.outputs.files("a")) == ([], [])
    assert store.outputs.add([Piece(run="a", attempt=2, frames=(frame,))]) == [1]
    assert list(store.outputs.read("a")) == [frame]
