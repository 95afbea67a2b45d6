"""Names and ids: what may stand in one, and how each is built.

RQ takes `[A-Za-z0-9_-]+` as the id of a job, so names are kept within that.
"""

import os
import re
from functools import lru_cache

from jober.errors import DefinitionError

JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_FIRED = re.compile(r"-(\d{8}T\d{6})(\d{3})?Z(?:-([A-Za-z0-9_-]+))?")
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def check_job_name(name: str) -> str:
    """The name itself, or a DefinitionError."""
    if not JOB_NAME.fullmatch(name):
        raise DefinitionError(
            f"'{name}' is not a job name",
            field="name",
            value=name,
            mend="letters, digits, '-' and '_', a letter or digit first, at most 100",
        )
    return name


def check_run_id(id: str) -> str:
    """The id itself, or a DefinitionError."""
    if not RUN_ID.fullmatch(id):
        raise DefinitionError(
            f"'{id}' is not the id of a run",
            field="id",
            value=id,
            mend="letters, digits, '-' and '_', a letter or digit first, at most 200",
        )
    return id


def check_host_name(host: str) -> str:
    """The host itself, or a DefinitionError."""
    if not HOST_NAME.fullmatch(host):
        raise DefinitionError(
            f"'{host}' is not a host name",
            field="host",
            value=host,
            mend="letters, digits, '-' and '.', a letter or digit first; name one with --host",
        )
    return host


def fired_run_id(job: str, fire_ms: int, host: str | None = None) -> str:
    """The id of the run of a fire: the same fire has the same id, whoever computes it.

    >>> fired_run_id("nightly", 1795222800000)
    'nightly-20261121T010000Z'
    >>> fired_run_id("scrub", 1795222800250, "db1.example.org")
    'scrub-20261121T010000250Z-db1_example_org'
    """
    id = f"{job}-{_stamp(fire_ms)}"
    # A host name holds no underscore, so this keeps different hosts apart.
    return f"{id}-{host.replace('.', '_')}" if host else id


def read_fired_run_id(job: str, id: str) -> tuple[int, str | None] | None:
    """The fire (ms) and the host that `fired_run_id` made the id of; None for any other id.

    >>> read_fired_run_id("scrub", "scrub-20261121T010000250Z-db1_example_org")
    (1795222800250, 'db1.example.org')
    >>> read_fired_run_id("nightly", "nightly-m01hxxxxxxxxxxxxxxxxxxxxxx")
    """
    found = _FIRED.fullmatch(id, len(job)) if id.startswith(job) else None
    if found is None:
        return None
    from datetime import UTC, datetime  # here: a guardian loads this module, and is small

    from jober.clock import to_ms

    second, millis, host = found.groups()
    try:
        at = datetime.strptime(second, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return to_ms(at) + int(millis or 0), host.replace("_", ".") if host else None


@lru_cache(maxsize=1024)
def _stamp(fire_ms: int) -> str:
    """Many jobs are due at the same moment."""
    from jober.clock import from_ms

    millis = f"{fire_ms % 1000:03d}" if fire_ms % 1000 else ""
    return f"{from_ms(fire_ms):%Y%m%dT%H%M%S}{millis}Z"


def manual_run_id(job: str, now_ms: int) -> str:
    """The id of a run by hand: `<job>-m<ulid>`, which sorts by time."""
    return f"{job}-m{ulid(now_ms)}"


def service_run_id(job: str, now_ms: int) -> str:
    """The id of a run of a service: `<job>-s<ulid>`, which sorts by time."""
    return f"{job}-s{ulid(now_ms)}"


def workflow_run_id(job: str, now_ms: int) -> str:
    """The id of a run that the end of another started: `<job>-w<ulid>`, which sorts by time."""
    return f"{job}-w{ulid(now_ms)}"


def started_run_id(job: str, after: str, host: str | None = None) -> str:
    """The same, where it has to be one that the end of the run `after` has once, on that host: who
    has had it knows it again.

    >>> started_run_id("report", "nightly-20261121T010000Z")
    'report-w3peqm7mq8fbmegj3wjhk3qw8we'
    """
    from hashlib import blake2b  # half a megabyte, which guardians have no use for

    told = blake2b(f"{after} {host or ''}".encode(), digest_size=17).digest()
    number = int.from_bytes(told)
    return f"{job}-w" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def ulid(now_ms: int) -> str:
    """26 characters: 48 bits of time and 80 of chance (github.com/ulid/spec), in lower case."""
    number = (now_ms << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def agent_id(host: str) -> str:
    """The id of one start of an agent: `<host>-<6 hex digits>`."""
    return f"{host}-{os.urandom(3).hex()}"


def node_id(host: str, pid: int) -> str:
    """The id of one start of a scheduler: `<host>:<pid>:<6 hex digits>`."""
    return f"{host}:{pid}:{os.urandom(3).hex()}"


def own_host_name(system_name: str) -> str:
    """The name of this host as jober writes it: what the system says, '_' as '-'."""
    return check_host_name(system_name.replace("_", "-"))
