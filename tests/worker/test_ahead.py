"""How many runs an agent reserves, by what runs have taken."""

from jober_worker.ahead import AT_MOST, Ahead


def after(slots: int, *seconds: float) -> Ahead:
    ahead = Ahead(slots)
    for one in seconds:
        ahead.took(one)
    return ahead


def test_before_anything_is_known_none_is_reserved() -> None:
    assert Ahead(100).runs == 0


def test_of_what_takes_long_none_is_reserved() -> None:
    assert after(100, *[1.0] * 10).runs == 0


def test_of_what_is_quick_some_moments_of_work_are_reserved_for_each_slot() -> None:
    one, four = after(1, *[0.005] * 100), after(4, *[0.005] * 100)
    assert 7 <= one.runs <= 9, "9 others in 50 ms"
    assert 4 * one.runs <= four.runs <= 4 * one.runs + 3


def test_there_is_a_bound_to_it_however_quick_they_are() -> None:
    assert after(100, *[0.0] * 1000).runs == AT_MOST
    assert after(1, *[0.0] * 1000).runs < AT_MOST


def test_one_quick_run_is_not_believed_and_many_are() -> None:
    ahead = after(10, 0.001)
    assert ahead.runs <= 1
    more = [ahead.runs]
    for _ in range(20):
        ahead.took(0.001)
        more.append(ahead.runs)
    assert more == sorted(more) and more[-1] > 30


def test_one_that_takes_long_ends_it_at_once() -> None:
    ahead = after(10, *[0.001] * 100)
    assert ahead.runs > 100
    ahead.took(0.15)
    assert ahead.runs == 0
