"""Whether a Redis keeps what jober promises on top of it."""

import re
from collections.abc import Iterator
from statistics import median

from jober.doctor.facts import ServerFacts
from jober.doctor.finding import Finding, Findings, Section
from jober.words import count

OLDEST_REDIS = (6, 2)
OLDEST_VALKEY = (7, 2)
# One call of a scheduler or an agent; above it, batches and leases suffer.
SLOW_MS = 5.0
STALLED_MS = 250.0
# Moments are by Redis's clock: a host's matters to people who compare logs, and to TLS.
OFF_MS = 1_000
FULL = 0.9
_SAY = Findings(Section.REDIS)
_CONFIG = "deploy/redis/redis.conf"


def examine_redis(facts: ServerFacts) -> list[Finding]:
    """All that there is to say of it, what is well too."""
    every = (_version, _role, _persistence, _memory, _access, _latency, _clock, _room)
    return [finding for rules in every for finding in rules(facts)]


def _version(facts: ServerFacts) -> Iterator[Finding]:
    valkey = facts.info.get("valkey_version")
    name, told = ("Valkey", valkey) if valkey else ("Redis", facts.info.get("redis_version", ""))
    oldest = OLDEST_VALKEY if valkey else OLDEST_REDIS
    found = re.match(r"(\d+)\.(\d+)", told)
    if found and (int(found[1]), int(found[2])) < oldest:
        wanted = ".".join(map(str, oldest))
        yield _SAY.problem("version", f"{name} {told} is too old", f"{name} {wanted} or later")
    else:
        yield _SAY.ok("version", f"{name} {told}")
    if facts.info.get("cluster_enabled") == "1":
        yield _SAY.problem(
            "cluster",
            "it is a Redis Cluster, which cannot run RQ's scripts",
            "one primary, with Sentinel for its failover",
        )


def _role(facts: ServerFacts) -> Iterator[Finding]:
    if facts.info.get("role", "master") != "master":
        yield _SAY.problem(
            "role",
            "it is a replica: it takes no writes",
            "the address of the primary, or redis+sentinel://h1:26379,h2:26379/mymaster/0",
        )
        return
    replicas = facts.number("connected_slaves") or 0
    if replicas:
        yield _SAY.ok("role", f"a primary with {count(replicas, 'replica')}")
    else:
        yield _SAY.warning(
            "role",
            "no replica: where this server is gone, so is the fleet",
            "two replicas and three Sentinels, or a way to get it back (docs/operations.md)",
        )


def _persistence(facts: ServerFacts) -> Iterator[Finding]:
    info, settings = facts.info, facts.settings or {}
    if info.get("aof_enabled") != "1":
        snapshots = bool(settings.get("save")) or facts.settings is None
        lost = "minutes of changes" if snapshots else "everything"
        yield _SAY.problem(
            "persistence",
            f"no append-only file: a crash loses {lost}",
            f"CONFIG SET appendonly yes, and `appendonly yes` in its file ({_CONFIG})",
        )
    elif info.get("aof_last_write_status", "ok") != "ok":
        yield _SAY.problem(
            "persistence",
            "its append-only file could not be written",
            "room on its disk, and a look at its log",
        )
    elif settings.get("appendfsync") == "no":
        yield _SAY.warning(
            "persistence",
            "appendfsync no: a power cut loses half a minute",
            "CONFIG SET appendfsync everysec",
        )
    else:
        how = settings.get("appendfsync")
        yield _SAY.ok("persistence", "append-only file" + (f", fsync {how}" if how else ""))
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        yield _SAY.warning(
            "persistence",
            "its last snapshot failed",
            "room on its disk and in its memory, and a look at its log",
        )


def _memory(facts: ServerFacts) -> Iterator[Finding]:
    policy, limit = facts.info.get("maxmemory_policy"), facts.number("maxmemory") or 0
    if policy not in (None, "noeviction"):
        what = "runs and leases" if policy.startswith("volatile-") else "any key"
        told = f"maxmemory-policy {policy}: it may throw away {what}"
        yield _SAY.problem("eviction", told, "CONFIG SET maxmemory-policy noeviction")
    else:
        yield _SAY.ok("eviction", "it throws no key away")
    evicted = facts.number("evicted_keys") or 0
    if evicted:
        yield _SAY.problem(
            "eviction",
            f"{count(evicted, 'key')} were thrown away already",
            "noeviction, and more memory; then `jober apply` anew, and a look at what is gone",
        )
    used = facts.number("used_memory") or 0
    if limit and used > FULL * limit:
        yield _SAY.problem(
            "memory",
            f"{used / limit:.0%} of maxmemory is full",
            "more memory, or a shorter keep_runs (then `jober archive`)",
        )
    else:
        of = f" of {_size(limit)}" if limit else ", without a bound"
        yield _SAY.ok("memory", f"{_size(used)} used{of}")


def _access(facts: ServerFacts) -> Iterator[Finding]:
    user = facts.user or "default"
    for what, problem in facts.refused.items():
        yield _SAY.problem("acl", f"{user} may not {what}: {problem}", f"its rules as in {_CONFIG}")
    if user == "default" and not facts.with_password and not facts.is_local:
        yield _SAY.problem(
            "acl",
            "anybody who reaches it may do anything, and so run anything on every host",
            f"users with passwords, as in {_CONFIG}",
        )
    elif not facts.refused:
        yield _SAY.ok("acl", f"user {user}, who may do what jober does")


def _latency(facts: ServerFacts) -> Iterator[Finding]:
    trips = facts.round_trips_ms
    usual, worst = median(trips), max(trips)
    told = f"a round trip takes {usual:.1f} ms, the worst of {len(trips)} {worst:.1f} ms"
    if usual > SLOW_MS or worst > STALLED_MS:
        mend = "a Redis that is near, and not overloaded (`redis-cli LATENCY DOCTOR`)"
        yield _SAY.warning("latency", told, mend)
    else:
        yield _SAY.ok("latency", told)


def _clock(facts: ServerFacts) -> Iterator[Finding]:
    ahead_s = facts.clock_ahead_ms / 1000
    told = f"its clock and this host's are {abs(ahead_s):.3f} s apart"
    if abs(facts.clock_ahead_ms) > OFF_MS:
        who = "behind" if ahead_s > 0 else "ahead of"
        yield _SAY.warning(
            "clock",
            f"{told}: it is {who} this host's, and fires go by it",
            "chrony or systemd-timesyncd on both",
        )
    else:
        yield _SAY.ok("clock", told)


def _room(facts: ServerFacts) -> Iterator[Finding]:
    clients, most = facts.number("connected_clients") or 0, facts.number("maxclients") or 0
    if most and clients > FULL * most:
        yield _SAY.warning(
            "clients",
            f"{clients} of {most} connections are taken",
            "CONFIG SET maxclients to more, and `ulimit -n` of the server",
        )
    timeout = (facts.settings or {}).get("timeout", "0")
    if timeout not in ("", "0"):
        yield _SAY.warning(
            "clients",
            f"it closes connections that are idle for {timeout} s",
            "CONFIG SET timeout 0",
        )
    if (facts.settings or {}).get("client-output-buffer-limit", "").endswith("pubsub 0 0 0"):
        yield _SAY.warning(
            "clients",
            "a follower that is stuck may fill its memory",
            "CONFIG SET client-output-buffer-limit 'pubsub 32mb 8mb 60'",
        )


def _size(number: int) -> str:
    return f"{number / 2**20:,.0f} MiB"
