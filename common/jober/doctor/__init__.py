"""What is wrong with a fleet, or soon will be, and the mend of each: `jober doctor`.

`facts` is what was asked of Redis and read of the agents and jobs; `redis_rules`, `fleet_rules` and
`job_rules` make findings of it. Pure: what is asked, and how, is for the caller.
"""

from jober.doctor.facts import CheckedJob, ServerFacts
from jober.doctor.finding import Finding, Level, Section
from jober.doctor.fleet_rules import examine_fleet
from jober.doctor.job_rules import JobRules
from jober.doctor.redis_rules import examine_redis

__all__ = [
    "CheckedJob",
    "Finding",
    "JobRules",
    "Level",
    "Section",
    "ServerFacts",
    "examine_fleet",
    "examine_redis",
]
