"""What an agent tells a monitoring system."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jober.metrics import JobNames
from jober.store.report import Finish

if TYPE_CHECKING:
    from jober_worker.agent import Agent

# Seconds: from a function in a thread to what takes half a day.
DURATIONS_S = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 14_400.0, 43_200.0)


class Meters:
    """Counts what the agent has reported."""

    def __init__(self, agent: "Agent") -> None:
        self.registry = CollectorRegistry()
        self._jobs = JobNames()
        self._runs = Counter(
            "jober_runs",
            "Attempts of runs that have ended, by job and how",
            ["job_name", "state"],
            registry=self.registry,
        )
        self._refused = Counter(
            "jober_refused",
            "Runs that the host refused, by its keys, its allow-list or its filter, by job",
            ["job_name"],
            registry=self.registry,
        )
        self._took = Histogram(
            "jober_run_seconds",
            "How long attempts took, by job",
            ["job_name"],
            buckets=DURATIONS_S,
            registry=self.registry,
        )
        self.registry.register(_Standing(agent))

    def reported(self, finishes: Sequence[Finish]) -> None:
        """Those ends were reported."""
        for finish in finishes:
            job = self._jobs.label(finish.claim.job or "(none)")
            self._runs.labels(job, str(finish.outcome.state)).inc()
            if finish.outcome.refused:
                self._refused.labels(job).inc()
            if finish.took_s is not None:
                self._took.labels(job).observe(finish.took_s)


class _Standing(Collector):
    """How the agent stands, when it is asked."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent

    def collect(self) -> Iterator[Metric]:
        agent = self._agent
        for name, what, number in (
            ("jober_agent_slots", "Runs that it takes at a time", agent.slots.slots),
            ("jober_agent_busy_ratio", "The share of its slots that is taken", agent.slots.busy),
            ("jober_agent_running", "Runs that it executes", agent.held.running()),
            ("jober_agent_open", "1 where it takes new runs", int(agent.info().state == "up")),
            (
                "jober_agent_unreported",
                "Attempts that have not ended, or whose end Redis has not taken yet",
                len(agent.held.leases()),
            ),
            ("jober_journal_kept", "Ends that are on its disk alone", agent.journal.kept()),
            (
                "jober_journal_up",
                "0 where its journal cannot be written",
                int(not agent.journal.problem),
            ),
            ("jober_redis_up", "1 where Redis has answered lately", int(agent.vigil.is_renewed)),
        ):
            yield GaugeMetricFamily(name, what, value=number)
