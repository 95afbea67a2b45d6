"""How Redis answers a daemon, asked when that is to be told."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from jober.errors import RedisUnavailable

if TYPE_CHECKING:
    from prometheus_client.core import Metric

log = logging.getLogger(__name__)


def redis_gauges(ask: Callable[[], object]) -> "tuple[bool, list[Metric]]":
    """Whether it answers one call, and what is told of it."""
    from prometheus_client.core import GaugeMetricFamily

    up, what = "jober_redis_up", "1 where Redis answers"
    try:
        begun = time.monotonic()
        ask()
        took_s = time.monotonic() - begun
    except RedisUnavailable as error:
        log.debug("Redis does not answer: %s", error)
        return False, [GaugeMetricFamily(up, what, value=0)]
    name, told = "jober_redis_round_trip_seconds", "How long one call of Redis takes"
    return True, [
        GaugeMetricFamily(up, what, value=1),
        GaugeMetricFamily(name, told, value=took_s),
    ]
