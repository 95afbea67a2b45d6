"""What agents are given: whatever stands in a queue, is published for them, or is said at their
socket, the agent lives, what can end ends with a reason, and what comes after it is done."""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from jober import Jober
from jober.embedded import RedisServer
from jober.run import FINAL
from tests.fleet import Fleet
from tests.fuzz.anything import VALUE
from tests.fuzz.target import Check, Target
from tests.waiting import wait_until

BATCH = 40
_FUNCTIONS = (
    "jober_worker.functions.command", "jober_worker.functions.shell",
    "jober_worker.functions.module", "jober_worker.functions.script",
    "jober_worker.functions.script_call", "builtins.len", "json.dumps", "absent.module.f",
    "os.path", "", ".", "..", "a b", "ä",
)  # fmt: skip
_OPTIONS = (
    "cwd", "env", "timeout", "grace", "process", "locals", "output", "stderr", "secret",
    "max_runs_per_process", "env_file", "user", "group", "umask", "nice", "memory", "cpus",
    "cpu_time", "retries", "retry_delay", "retry_on", "skip_exit_codes", "service", "reclaim",
)  # fmt: skip


def _as_json(value: Any) -> bytes:
    return json.dumps(value, default=repr).encode("utf-8", "surrogatepass")


# What a cleanup is told: text, as it stood in a record.
_FACTS = st.fixed_dictionaries(
    {"run": st.just("a-m1") | VALUE, "job": st.just("a") | VALUE, "state": st.just("success")},
    optional={
        "data": st.just('["a.b", null, [1], {}]') | VALUE.map(lambda value: json.dumps(value)),
        **dict.fromkeys(["options", "return_value", "exit_code", "host"], st.just("{}") | VALUE),
    },
)
_ARGUMENT = st.sampled_from([["true"], "true", ["false"], [], "json.tool", "./x.py:f"]) | VALUE
DATA = st.one_of(
    st.binary(max_size=40),
    VALUE.map(_as_json),
    st.tuples(
        st.sampled_from(_FUNCTIONS) | VALUE,
        st.none() | VALUE,
        st.lists(_ARGUMENT, max_size=3) | VALUE,
        st.dictionaries(st.text(max_size=4), VALUE, max_size=2) | VALUE,
    ).map(_as_json),
    st.tuples(st.just("builtins.len") | VALUE, _FACTS).map(
        lambda told: _as_json(["jober_worker.functions.clean_up", None, list(told), {}])
    ),
    st.tuples(st.sampled_from(_FUNCTIONS), st.lists(_ARGUMENT, max_size=3)).map(
        lambda call: _as_json([call[0], None, call[1], {}])
    ),
).flatmap(lambda data: st.sampled_from([data, data, zlib.compress(data), zlib.compress(data)[:-3]]))
OPTIONS = st.one_of(
    st.dictionaries(st.sampled_from(_OPTIONS), VALUE, max_size=3).map(_as_json),
    VALUE.map(_as_json),
    st.binary(max_size=10),
)
FIELD = st.one_of(
    st.binary(max_size=12),
    st.integers().map(lambda number: b"%d" % number),
    st.sampled_from([b"", b"x", b"-1", b"nan", b"inf", b"1e999", b"0x10", b"{}", b"[]", b"\0",
                     b"a" * 5_000, b"2026-11-21T03:00:00.000000Z", b"host1", b"@host1 x"]),
)  # fmt: skip
RECORD = st.fixed_dictionaries(
    {"status": st.just(b"queued") | st.just(b"queued") | FIELD, "data": DATA},
    optional={
        "options": OPTIONS,
        # Not many: RQ's own retries follow at once.
        "retries_left": st.sampled_from([b"", b"x", b"-1", b"2", b"1e999", b"inf", b"1.5"]),
        **dict.fromkeys(
            ["job", "state", "attempt", "origin", "timeout", "target", "expires_at", "avoid",
             "term", "passed_at", "refused", "trigger", "fire_at", "enqueued_at", "bound_until",
             "fallback", "revision", "cleanup", "result_ttl", "failure_ttl", "retry_intervals",
             "success_callback_name", "failure_callback_name", "stopped_callback_name", "meta",
             "serializer", "parked_in", "limits", "cancel_requested", "progress", "log_files"],
            FIELD,
        ),
    },
)  # fmt: skip


class Payload(NamedTuple):
    """What stands under a key that is in a queue: a record, or what is none (`kind`)."""

    kind: str
    odd: bytes  # in the id
    record: dict[str, bytes]


PAYLOADS = st.builds(
    Payload,
    st.sampled_from(["record"] * 12 + ["nothing", "text", "list", "zset", "stream"]),
    st.sampled_from([b"", b"", b"", b"\xff", b" ", b":1", b"\0", "ä".encode(), b"-" * 300]),
    RECORD,
)
COMMANDS = st.one_of(
    st.binary(max_size=40),
    VALUE.map(_as_json),
    st.dictionaries(
        st.sampled_from(["command", "job_id", "reason", "reply", "run", "attempt", "start", "end"]),
        VALUE | st.sampled_from(["stop-job", "queues", "orders", "log", "absent"]),
        max_size=7,
    )
    .filter(lambda command: command.get("command") != "shutdown")
    .map(_as_json),
)


class _Agent:
    """One agent of the roles db and web, and what it is given."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.jober: Jober = fleet.jober
        self.redis: Any = fleet.jober.store.connection.client
        fleet.agent("host1", "db,web", slots=BATCH)
        self.id = fleet.jober.agents()[0].id
        self.jober.add_job("marker", command="true", roles=["db"])
        self._numbers = count()

    def take(self, payloads: list[Payload]) -> None:
        ids = [self._put(payload) for payload in payloads]
        self.check_lives()
        for id, payload in zip(ids, payloads, strict=True):
            if payload.kind == "record" and payload.record["status"] == b"queued":
                self._wait_settled(id, payload)
            self.redis.delete(b"rq:job:" + id)
        held = ("jober:leases", f"jober:agent:{self.id}:runs", "rq:wip:db")
        wait_until(
            lambda: not any(self.redis.zcard(key) for key in held), told="nothing is held any more"
        )

    def _wait_settled(self, id: bytes, payload: Payload) -> None:
        try:
            wait_until(lambda: self._is_settled(id))
        except AssertionError as error:
            shown = {name: value[:200] for name, value in payload.record.items()}
            log = self.fleet.logs()[-2000:]
            raise AssertionError(f"{id!r} is not settled: {shown}\n{error}\n{log}") from None

    def _put(self, payload: Payload) -> bytes:
        id = b"fuzz-%d%b" % (next(self._numbers), payload.odd)
        key = b"rq:job:" + id
        match payload.kind:
            case "record":
                self.redis.hset(key, mapping=payload.record)
            case "text":
                self.redis.set(key, b"x")
            case "list":
                self.redis.rpush(key, b"x")
            case "zset":
                self.redis.zadd(key, {b"x": 1})
            case "stream":
                self.redis.xadd(key, {b"x": 1})
        self.redis.sadd("rq:queues", "rq:queue:db")
        self.redis.rpush("rq:queue:db", id)
        return id

    def _is_settled(self, id: bytes) -> bool:
        """It has ended, and says why where it failed; or it is told when it is tried again."""
        state, reason, exit_code, retry_at = (
            (value or b"").decode("utf-8", "replace")
            for value in self.redis.hmget(
                b"rq:job:" + id, "state", "reason", "exit_code", "retry_at"
            )
        )
        assert "the agent failed" not in reason, reason
        if state == "failed":
            assert reason, "it has failed without a reason"
        return state in FINAL or bool(state == "delayed" and retry_at)

    def hear(self, commands: list[bytes]) -> None:
        for command in commands:
            self.redis.publish(f"rq:pubsub:{self.id}", command)
            self.redis.publish("jober:control", command)
        self.check_lives()

    def check_lives(self) -> None:
        """It is the same agent, it does what comes, and none of its parts has failed."""
        ended = self.jober.run("marker").wait(20)
        assert ended.state == "success", ended.reason
        assert [agent.id for agent in self.jober.agents()] == [self.id]
        logs = self.fleet.logs()
        assert "has failed" not in logs and "Traceback (most recent" not in logs, logs[-4000:]


@contextmanager
def _agent(folder: Path) -> Iterator[_Agent]:
    with RedisServer() as server:
        fleet = Fleet(server.url, folder)
        try:
            yield _Agent(fleet)
        finally:
            fleet.stop()


@contextmanager
def _payloads(folder: Path) -> Iterator[Check]:
    with _agent(folder) as agent:
        yield agent.take


@contextmanager
def _commands(folder: Path) -> Iterator[Check]:
    with _agent(folder) as agent:
        yield agent.hear


TARGETS = (
    Target(
        name="payloads of queues",
        cases=5_000,
        few=BATCH,
        given=st.lists(PAYLOADS, min_size=BATCH // 2, max_size=BATCH),
        open=_payloads,
        batch=BATCH,
    ),
    Target(
        name="commands to agents",
        cases=5_000,
        few=BATCH,
        given=st.lists(COMMANDS, min_size=BATCH // 2, max_size=BATCH),
        open=_commands,
        batch=BATCH,
    ),
)
