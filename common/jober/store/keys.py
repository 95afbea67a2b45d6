"""Every key in Redis, by name. docs/redis.md tells of each; a test holds the two together.

Lua builds some of these from what it has just read; the headers of the scripts say which.
"""

SCHEMA = "jober:schema"
LEADER = "jober:leader"
TERM = "jober:term"
WAKE = "jober:wake"
JOBS = "jober:jobs"
DUE = "jober:due"
WAITING = "jober:waiting"
CALENDARS = "jober:calendars"
CALENDARS_REVISION = "jober:calendars:revision"
RUNS = "jober:runs"
OVERFULL = "jober:overfull"
LEASES = "jober:leases"
LIMITS = "jober:limits"
PARKED = "jober:parked"
DELAYED = "jober:delayed"
EXPIRING = "jober:expiring"
CLEANING = "jober:cleaning"
AGENTS = "jober:agents"
ENDED = "jober:ended"
NEEDING = "jober:needing"
LOOK = "jober:look"
NEEDED = "jober:needed"
SERVICES = "jober:services"
VOLATILE = "jober:volatile"
CORDONED = "jober:cordoned"
ROLES = "jober:roles"
EVENTS = "jober:events"
EVENTS_LOG = "jober:events:log"
CONTROL = "jober:control"
NOTICES = "jober:notices"
DELIVERIES = "jober:deliveries"
DELIVERING = "jober:delivering"
OWNERS = "jober:owners"
USERS = "jober:users"
TOKENS = "jober:tokens"
AUDIT = "jober:audit"

# RQ's own, as rq 2.x names them.
RQ_QUEUES = "rq:queues"
RQ_WORKERS = "rq:workers"
RQ_SUSPENDED = "rq:suspended"


def job(name: str) -> str:
    return f"jober:job:{name}"


def listed(list: str) -> str:
    """The jobs of a tag (`tag:<tag>`), of a role (`role:<role>`), or those `paused`."""
    return f"jober:jobs:{list}"


def once(key: str) -> str:
    return f"jober:once:{key}"


def runs(job: str) -> str:
    return f"jober:runs:{job}"


def active(job: str, host: str | None = None) -> str:
    return f"jober:active:{job}@{host}" if host else f"jober:active:{job}"


def slots(job: str, host: str | None = None) -> str:
    return f"jober:slots:{job}@{host}" if host else f"jober:slots:{job}"


def parked(job: str, host: str | None = None) -> str:
    return f"jober:parked:{job}@{host}" if host else f"jober:parked:{job}"


def limit(name: str) -> str:
    return f"jober:limit:{name}"


def limit_parked(name: str) -> str:
    return f"jober:limit:{name}:parked"


def limit_jobs(name: str) -> str:
    return f"jober:limit:{name}:jobs"


def needing(job: str) -> str:
    return f"jober:needing:{job}"


def linked(job: str) -> str:
    return f"jober:linked:{job}"


def kept(job: str) -> str:
    return f"jober:kept:{job}"


def service(job: str) -> str:
    return f"jober:service:{job}"


def former(job: str) -> str:
    return f"jober:former:{job}"


def owned(owner: str) -> str:
    return f"jober:owned:{owner}"


def failing(job: str) -> str:
    return f"jober:failing:{job}"


def delivery(id: str) -> str:
    return f"jober:delivery:{id}"


def ledger(job: str) -> str:
    return f"jober:ledger:{job}"


def agent(id: str) -> str:
    return f"jober:agent:{id}"


def agent_runs(id: str) -> str:
    return f"jober:agent:{id}:runs"


def bell(queue: str) -> str:
    return f"jober:bell:{queue}"


def out(run: str) -> str:
    """The channel that a run's output is published on."""
    return f"jober:out:{run}"


def out_log(run: str) -> str:
    return f"jober:out:{run}:log"


def attempts(run: str) -> str:
    return f"jober:attempts:{run}"


def reply(id: str) -> str:
    """Where an agent answers what a client has asked it for."""
    return f"jober:reply:{id}"


def user(user: str) -> str:
    return f"jober:user:{user}"


def token(id: str) -> str:
    return f"jober:token:{id}"


def user_tokens(user: str) -> str:
    return f"jober:tokens:{user}"


def session(hash: str) -> str:
    return f"jober:session:{hash}"


def user_sessions(user: str) -> str:
    return f"jober:sessions:{user}"


def tries(hash: str) -> str:
    return f"jober:tries:{hash}"


def ticket(hash: str) -> str:
    return f"jober:ticket:{hash}"


def rq_job(run: str) -> str:
    return f"rq:job:{run}"


def rq_queue(queue: str) -> str:
    return f"rq:queue:{queue}"


def rq_worker(agent: str) -> str:
    return f"rq:worker:{agent}"


def rq_pubsub(agent: str) -> str:
    """The channel that RQ's tools and ours send an agent commands on."""
    return f"rq:pubsub:{agent}"
