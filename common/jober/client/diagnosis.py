"""What is wrong with the fleet, and the mend."""

from dataclasses import replace
from typing import TYPE_CHECKING

from jober import __version__
from jober.client.hosts import Hosts
from jober.client.runs import Runs
from jober.placement import Roster

if TYPE_CHECKING:
    from jober.doctor import CheckedJob, Finding, JobRules

# Of so many jobs that fire often the last runs are read, to see whether they take longer.
_MEASURED = 200
_OFTEN_S = 3600.0
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
        rules = JobRules(Roster.of(agents), now_ms)
        left = _MEASURED
        for job in self.store.listed_jobs.checked():
            gap_s = rules.gap_s(job)
            if left and gap_s is not None and gap_s < _OFTEN_S:
                left -= 1
                job = self._measured(job, rules)
            rules.look(job)
        return found + rules.findings()

    def _measured(self, job: "CheckedJob", rules: "JobRules") -> "CheckedJob":
        from statistics import median

        runs = self.runs(job.name, state="success", limit=_RUNS)
        took = [run.duration_s for run in runs if run.duration_s is not None]
        return replace(job, usual_s=median(took)) if took else job
