"""What `overlap` does to fires, against a simulation that looks at every second."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.simulation.overlap import Overlaps, Runs


def followed(overlap: str, limit: int | None, duration: int, fires: list[int]) -> Overlaps:
    runs = Runs(overlap, limit, duration)
    for at in fires:
        runs.fire(at)
    return runs.result()


def test_a_run_that_ends_when_the_next_begins_is_no_overlap() -> None:
    told = followed("skip", 1, 10, [0, 10, 20])
    assert (told.overlapping, told.most_at_once) == (0, 1)


def test_skip_leaves_out_what_comes_meanwhile() -> None:
    told = followed("skip", 1, 25, [0, 10, 20, 30, 40, 50])
    assert (told.overlapping, told.skipped) == (4, 4)
    assert told.examples_ms == (10, 20, 40, 50)


def test_queue_lets_all_of_them_wait_longer_and_longer() -> None:
    told = followed("queue", 1, 15, [0, 10, 20, 30])
    assert (told.overlapping, told.waits, told.longest_wait_ms) == (3, 3, 15)


def test_queue_one_lets_one_wait_and_skips_the_others() -> None:
    told = followed("queue-one", 1, 35, [0, 10, 20, 30, 40])
    # 10 waits until 35; 20 and 30 find it waiting; 40 waits for it until 70.
    assert (told.waits, told.skipped, told.longest_wait_ms) == (2, 2, 30)


def test_cancel_old_begins_at_once() -> None:
    told = followed("cancel-old", 1, 35, [0, 10, 20])
    assert (told.cancels, told.skipped, told.waits, told.most_at_once) == (2, 0, 0, 1)


def test_allow_without_a_limit_runs_beside_as_many_as_there_are() -> None:
    told = followed("allow", None, 35, [0, 10, 20, 30, 40])
    assert (told.beside, told.most_at_once) == (4, 4)


def test_below_the_limit_nothing_is_skipped() -> None:
    told = followed("skip", 2, 25, [0, 10, 20, 30, 40])
    # 10 runs beside 0; 20 finds two; 30 finds the run of 10; 40 that of 30.
    assert (told.overlapping, told.beside, told.skipped) == (4, 3, 1)


@given(
    st.sampled_from(["skip", "queue", "queue-one", "cancel-old", "allow"]),
    st.sampled_from([1, 2, 3]),
    st.integers(1, 12),
    st.sets(st.integers(0, 40)).map(sorted),
)
def test_it_is_what_a_walk_over_every_moment_finds(
    overlap: str, limit: int, duration: int, fires: list[int]
) -> None:
    running: list[int] = []  # what is left of each
    waiting: list[int] = []  # since when
    counts = dict.fromkeys(("skipped", "waits", "cancels", "beside"), 0)
    overlapping = longest = most = 0
    for now in range(1000):
        running = [left - 1 for left in running if left > 1]
        while waiting and len(running) < limit:
            longest = max(longest, now - waiting.pop(0))
            running.append(duration)
        if now in fires:
            overlapping += bool(running)
            if len(running) < limit:
                counts["beside"] += bool(running)
                running.append(duration)
            elif overlap == "skip" or (overlap == "queue-one" and waiting):
                counts["skipped"] += 1
            elif overlap == "cancel-old":
                counts["cancels"] += 1
                running = [duration]
            else:
                counts["waits"] += 1
                waiting.append(now)
        most = max(most, len(running))
    told = followed(overlap, limit, duration, fires)
    assert told.overlapping == overlapping
    assert {name: getattr(told, name) for name in counts} == counts
    assert told.longest_wait_ms == longest
    assert told.most_at_once == most


@pytest.mark.parametrize("overlap", ["skip", "queue", "allow"])
def test_examples_are_the_first_few(overlap: str) -> None:
    assert followed(overlap, 1, 100, list(range(0, 100, 10))).examples_ms == (10, 20, 30, 40, 50)
