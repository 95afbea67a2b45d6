"""What of a Redis breaks jober's promises is told, with the mend."""

from dataclasses import replace

import pytest

from jober.doctor import Finding, Level, ServerFacts, examine_redis

WELL = ServerFacts(
    info={
        "redis_version": "7.2.4",
        "role": "master",
        "connected_slaves": "2",
        "aof_enabled": "1",
        "aof_last_write_status": "ok",
        "rdb_last_bgsave_status": "ok",
        "maxmemory_policy": "noeviction",
        "maxmemory": "1000000000",
        "used_memory": "5000000",
        "evicted_keys": "0",
        "connected_clients": "20",
        "maxclients": "10000",
    },
    settings={"appendfsync": "everysec", "save": "", "timeout": "0"},
    user="jober",
    with_password=True,
    is_local=False,
    round_trips_ms=(0.2, 0.3, 0.2),
    clock_ahead_ms=-12.0,
)


def with_info(**info: str) -> ServerFacts:
    return replace(WELL, info={**WELL.info, **info})


def told(facts: ServerFacts) -> list[Finding]:
    return [one for one in examine_redis(facts) if one.level is not Level.OK]


def test_of_a_redis_that_is_well_nothing_is_told_but_that() -> None:
    assert told(WELL) == []
    assert all(one.mend == "" for one in examine_redis(WELL))


@pytest.mark.parametrize(
    ("facts", "level", "check", "words"),
    [
        (with_info(redis_version="6.0.16"), "problem", "version", "Redis 6.0.16 is too old"),
        (with_info(valkey_version="7.0.1"), "problem", "version", "Valkey 7.0.1 is too old"),
        (with_info(cluster_enabled="1"), "problem", "cluster", "Redis Cluster"),
        (with_info(role="slave"), "problem", "role", "takes no writes"),
        (with_info(connected_slaves="0"), "warning", "role", "no replica"),
        (with_info(aof_enabled="0"), "problem", "persistence", "a crash loses everything"),
        (with_info(aof_last_write_status="err"), "problem", "persistence", "not be written"),
        (with_info(rdb_last_bgsave_status="err"), "warning", "persistence", "snapshot failed"),
        (with_info(maxmemory_policy="allkeys-lru"), "problem", "eviction", "any key"),
        (with_info(maxmemory_policy="volatile-ttl"), "problem", "eviction", "runs and leases"),
        (with_info(evicted_keys="3"), "problem", "eviction", "3 keys were thrown away"),
        (with_info(used_memory="950000000"), "problem", "memory", "95% of maxmemory"),
        (with_info(connected_clients="9900"), "warning", "clients", "9900 of 10000"),
        (replace(WELL, clock_ahead_ms=5_000.0), "warning", "clock", "it is behind this host's"),
        (replace(WELL, clock_ahead_ms=-5_000.0), "warning", "clock", "it is ahead of"),
        (replace(WELL, round_trips_ms=(9.0, 8.0, 10.0)), "warning", "latency", "9.0 ms"),
        (replace(WELL, round_trips_ms=(0.2, 0.2, 400.0)), "warning", "latency", "400.0 ms"),
        (replace(WELL, user="default", with_password=False), "problem", "acl", "anybody"),
        (replace(WELL, refused={"publish": "NOPERM"}), "problem", "acl", "may not publish: NOPERM"),
        (replace(WELL, settings={"appendfsync": "no"}), "warning", "persistence", "power cut"),
        (replace(WELL, settings={"timeout": "300"}), "warning", "clients", "idle for 300 s"),
    ],
)
def test_what_is_wrong_is_told_with_its_mend(
    facts: ServerFacts, level: str, check: str, words: str
) -> None:
    (finding,) = told(facts)
    assert (finding.level, finding.check) == (level, check)
    assert words in finding.what
    assert finding.mend


def test_without_snapshots_or_a_file_it_is_told_what_a_crash_loses() -> None:
    (finding,) = told(replace(with_info(aof_enabled="0"), settings={"save": "3600 1"}))
    assert "minutes of changes" in finding.what


def test_a_redis_on_this_host_needs_no_password() -> None:
    assert told(replace(WELL, user="default", with_password=False, is_local=True)) == []


def test_what_could_not_be_asked_is_no_finding() -> None:
    facts = replace(
        WELL, info={"redis_version": "7.2.4", "aof_enabled": "1"}, settings=None, user=None
    )
    assert {one.check for one in told(facts)} == {"role"}
