"""What a scheduler tells a monitoring system.

What it does is counted as it does it; how full the queues are is asked of Redis when somebody
asks us, by the leader alone, so that it is told once.
"""

import logging
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jober.errors import RedisUnavailable
from jober.fire import FirePlan
from jober.metrics import redis_gauges
from jober.store import Store
from jober_scheduler.elector import Elector

log = logging.getLogger(__name__)

# Seconds: on time is within a hundredth, and what is a minute late was caught up.
LATENESS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)
# So many queues are told; a fleet of very many hosts has one for each.
QUEUES = 500


class Meters:
    """Counts what the leader does."""

    def __init__(self, store: Store, elector: Elector) -> None:
        self.registry = CollectorRegistry()
        self._fires = Counter(
            "jober_fires",
            "Decisions on fires, by what was decided",
            ["decision"],
            registry=self.registry,
        )
        self._lateness = Histogram(
            "jober_fire_lateness_seconds",
            "How long after it was due a fire was made",
            buckets=LATENESS_S,
            registry=self.registry,
        )
        self.registry.register(_Standing(store, elector))

    def fired(self, plans: Sequence[FirePlan], now_ms: int) -> None:
        """Those plans were carried out at that moment."""
        for plan in plans:
            for fire in plan.fires:
                self._fires.labels(str(fire.decision)).inc(fire.count)
                if fire.runs:
                    self._lateness.observe(max(0, now_ms - fire.at_ms) / 1000)


class _Standing(Collector):
    """How things stand, asked when it is to be told."""

    def __init__(self, store: Store, elector: Elector) -> None:
        self._store = store
        self._elector = elector

    def collect(self) -> Iterator[Metric]:
        leads = self._elector.token() is not None
        yield _gauge("jober_leader", "1 where this scheduler leads", int(leads))
        yield _gauge("jober_terms", "How often it was elected", self._elector.terms)
        is_up, of_redis = redis_gauges(self._store.observe_time)
        yield from of_redis
        try:
            yield from list(self._of_the_fleet()) if leads and is_up else []
        except RedisUnavailable as error:
            log.debug("not all metrics can be told: %s", error)

    def _of_the_fleet(self) -> Iterator[Metric]:
        queues = self._store.overview.queues()
        waiting = GaugeMetricFamily(
            "jober_queue_runs", "Runs that wait, by queue", labels=["queue"]
        )
        now_ms = self._store.clock.now_ms()
        age = GaugeMetricFamily(
            "jober_queue_oldest_seconds",
            "How long the oldest run of a queue has waited",
            labels=["queue"],
        )
        for queue in queues[:QUEUES]:
            waiting.add_metric([queue.name], queue.waiting)
            if queue.oldest_at_ms is not None:
                age.add_metric([queue.name], max(0, now_ms - queue.oldest_at_ms) / 1000)
        yield waiting
        yield age
        counts = self._store.overview.counts(now_ms, queues)
        for name, what, number in (
            ("jober_jobs", "Jobs that are defined", counts.jobs),
            ("jober_runs_running", "Runs that run", counts.running),
            ("jober_runs_parked", "Runs that wait for a limit", counts.parked),
            ("jober_runs_delayed", "Runs that wait for their next attempt", counts.delayed),
            ("jober_jobs_overdue", "Jobs whose fire nobody has decided on", counts.overdue),
        ):
            yield _gauge(name, what, number)
        slots = GaugeMetricFamily("jober_slots", "Slots of live agents, by host", labels=["host"])
        for agent in self._store.agents.live():
            slots.add_metric([agent.host], agent.slots)
        yield slots


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)
