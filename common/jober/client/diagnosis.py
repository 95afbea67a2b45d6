"""What is wrong with the fleet, and the mend."""

from typing import TYPE_CHECKING

from jober import __version__
from jober.client.hosts import Hosts
from jober.client.runs import Runs
from jober.placement import Roster
from jober.store.later_job import LaterJob

if TYPE_CHECKING:
    from jober.doctor import Finding

# Of so many jobs that fire often the last runs are read, to see whether they take longer.
_MEASURED = 200
_RUNS = 10


class Diagnosis(Hosts, Runs):
    """The doctor."""

    def diagnose(self) -> "list[Finding]":
        """Redis, schedulers and agents, and every job, looked at: what is well, and of what is not
        the mend."""
        from jober.doctor import JobRules, examine_fleet, examine_redis

        server = self.store.server.facts()
        now_ms = self.store.clock.now_ms()
        agents = self.agents()
        found = examine_redis(server)
        found += examine_fleet(
            self.leader(), agents, self.store.agents.orders(), __version__, now_ms
        )
        left = _MEASURED

        def usual_s(name: str) -> float | None:
            nonlocal left
            left -= 1
            return self._usual_s(name) if left >= 0 else None

        trusting = {agent.host: agent.trusts for agent in agents if agent.trusts}
        rules = JobRules(Roster.of(agents), now_ms, usual_s, trusting)
        for job in self.store.listed_jobs.checked():
            if isinstance(job, LaterJob):
                rules.look_at_later(job.name, job.schema)
            else:
                rules.look(job)
        return found + rules.findings()

    def _usual_s(self, name: str) -> float | None:
        from statistics import median

        runs = self.runs(name, state="success", limit=_RUNS)
        took = [run.duration_s for run in runs if run.duration_s is not None]
        return median(took) if took else None
