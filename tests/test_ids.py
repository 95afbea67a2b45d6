"""The ids of runs: made of a fire, and read back."""

from hypothesis import given
from hypothesis import strategies as st

from jober.ids import HOST_NAME, JOB_NAME, fired_run_id, manual_run_id, read_fired_run_id

NAMES = st.from_regex(JOB_NAME, fullmatch=True)
HOSTS = st.none() | st.from_regex(HOST_NAME, fullmatch=True)
# From 1970 to 9999.
MOMENTS = st.integers(0, 253_402_300_799_999)


@given(NAMES, MOMENTS, HOSTS)
def test_the_id_of_a_fires_run_tells_its_fire_and_host(
    job: str, at_ms: int, host: str | None
) -> None:
    assert read_fired_run_id(job, fired_run_id(job, at_ms, host)) == (at_ms, host)


@given(NAMES, MOMENTS)
def test_the_id_of_a_run_by_hand_tells_no_fire(job: str, at_ms: int) -> None:
    assert read_fired_run_id(job, manual_run_id(job, at_ms % 2**48)) is None


def test_an_id_with_an_impossible_moment_tells_no_fire() -> None:
    assert read_fired_run_id("job", "job-20261341T250000Z") is None
    assert read_fired_run_id("job", "another-20261121T010000Z") is None
