"""How often a service is started, whatever Redis says of its place."""

from jober.service import ServicePolicy
from jober.store.service_starts import Start

POLICY = ServicePolicy(
    on="any",
    queue="db",
    prefer="least",
    restart_delay_ms=1_000,
    restart_max_delay_ms=60_000,
    healthy_after_ms=10_000,
)


def start(at_ms: int, sealed_ms: int = 1) -> Start:
    return Start(
        job="kept", place="*", run=f"r{at_ms}", sealed_ms=sealed_ms, at_ms=at_ms, policy=POLICY
    )


def test_a_service_is_started_as_often_as_one_that_fails_and_no_more_often() -> None:
    last, waits = start(0), []
    for _ in range(8):
        waits.append(last.may_follow_in_ms)
        last = start(last.at_ms + 100).after(last)
    assert waits == [0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000]


def test_a_service_that_was_healthy_or_is_another_begins_anew() -> None:
    quick = start(200).after(start(100).after(start(0)))
    assert quick.may_follow_in_ms == 1_000
    assert start(10_200).after(quick).may_follow_in_ms == 0
    assert start(300, sealed_ms=2).after(quick).may_follow_in_ms == 0
