"""The slots of an agent, and those that wait for one."""

import threading
from collections.abc import Callable

from jober_worker.slots import Room, Slots
from tests.waiting import wait_until

LONG_S = 600.0


def waiting(wait: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_what_is_taken_is_not_free_until_it_is_released() -> None:
    slots = Slots(4)
    assert (slots.free, slots.busy) == (4, 0)
    slots.take(3)
    assert (slots.free, slots.busy) == (1, 0.75)
    slots.release(3)
    assert (slots.free, slots.busy) == (4, 0)


def test_reserved_runs_are_held_beyond_the_slots() -> None:
    slots = Slots(2)
    assert slots.room(5, 3) == Room(free=2, ahead=5, ahead_once=3)
    slots.take(2)
    assert slots.room(5, 3) == Room(free=0, ahead=5, ahead_once=3)
    slots.take(3)
    assert (slots.free, slots.busy) == (0, 1)
    assert slots.room(5, 3) == Room(free=0, ahead=2, ahead_once=0)
    assert slots.room(1, 1) == Room(free=0, ahead=0, ahead_once=0), "it reserves less by now"
    slots.release(4)
    assert slots.room(5, 3) == Room(free=1, ahead=5, ahead_once=3)


def test_who_waits_goes_on_when_no_more_than_that_are_held() -> None:
    slots = Slots(2)
    slots.wait(0, LONG_S)  # nothing to wait for
    for _ in range(3):
        slots.take(1)
    gone = threading.Event()

    def wait() -> None:
        slots.wait(1, LONG_S)
        gone.set()

    thread = waiting(wait)
    wait_until(lambda: slots._awaited == 1, told="somebody waits")
    slots.release(1)
    assert not gone.is_set()
    slots.release(1)
    thread.join(15)
    assert gone.is_set()


def test_a_wait_can_be_called_off() -> None:
    slots = Slots(1)
    slots.take(1)
    thread = waiting(lambda: slots.wait(0, LONG_S))
    wait_until(lambda: slots._awaited == 0, told="somebody waits")
    slots.call_off()
    thread.join(15)
    assert not thread.is_alive() and slots.free == 0
