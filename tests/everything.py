"""A real fleet does all that there is to do, and somebody looks on."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgpack
import pytest
import redis
import rq
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend

from jober import Jober
from jober.access import Actor, Scope
from jober.access.errors import WrongLogin
from jober.client.log_in import LogIn
from jober.client.people import People
from jober.event import EVENT_TYPES
from jober.run import NO_JOB
from jober.schedule import Calendar
from jober.store import keys
from jober.store.changes import Change
from jober.store.runs import ManualRun
from jober.workflow import Result
from tests.fleet import Fleet
from tests.redis_page import CHANNELS, EVENT_FACTS, KEYS, regex

PATIENCE_S = 60.0
NIGHTLY = f"echo hello; echo oops >&2; {sys.executable} -m jober.cli progress 1 2 --group a"


@dataclass
class Observer:
    """Looks at all keys, and hears all channels; `problems` is what the page does not say."""

    client: redis.Redis
    heard: Any
    problems: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)

    def look(self) -> None:
        names = list(self.client.scan_iter("*", count=1000))
        pipeline = self.client.pipeline(transaction=False)
        for name in names:
            pipeline.type(name)
            pipeline.ttl(name)
        replies = pipeline.execute()
        for name, type, ttl in zip(names, replies[::2], replies[1::2], strict=True):
            if type != b"none":
                self._check(name.decode(), type.decode(), ttl)
        while message := self.heard.get_message(timeout=0):
            if message["type"] == "pmessage":
                self._check_message(message["channel"].decode(), message["data"])

    def _check(self, key: str, type: str, ttl: int) -> None:
        found = [entry for entry in KEYS if entry.matches(key)]
        if len(found) != 1:
            patterns = ", ".join(entry.pattern for entry in found) or "none"
            self.problems.add(f"{key}: one pattern should tell of it, these do: {patterns}")
            return
        entry = found[0]
        self.seen.add(entry.pattern)
        if entry.type != type:
            self.problems.add(f"{key} is a {type}, and not a {entry.type}")
            return
        # A negative TTL is none at all; -2 is a key that has just gone.
        if ttl == -1 and not (entry.expires_s is None or entry.once):
            self.problems.add(f"{entry.pattern} has no expiry, the page gives it one")
        if ttl >= 0 and (entry.expires_s is None or ttl > entry.expires_s):
            self.problems.add(f"{entry.pattern} expires after {ttl} s, the page says otherwise")
        for name in self._fields(key, type) - entry.fields:
            if any("<" in field and regex(field).fullmatch(name) for field in entry.fields):
                continue
            self.problems.add(f"{entry.pattern} has a field {name}, the page tells of none")

    def _fields(self, key: str, type: str) -> set[str]:
        found: Any = []
        if type == "hash":
            found = self.client.hkeys(key)
        elif type == "stream":
            entries: Any = self.client.xrevrange(key, count=100)
            found = [name for _, fields in entries for name in fields]
        return {name.decode() for name in found}

    def _check_message(self, channel: str, data: bytes) -> None:
        found = [entry for entry in CHANNELS if entry.matches(channel)]
        if len(found) != 1:
            self.problems.add(f"{len(found)} entries of the page tell of the channel {channel}")
            return
        entry = found[0]
        self.told.add(entry.pattern)
        if channel == keys.EVENTS:
            self._check_event(json.loads(data))
        elif entry.pattern == keys.out("<run>"):
            kind, *rest = msgpack.unpackb(data, raw=True)
            form = re.search(rf'`\["{kind.decode()}", ([^]]+)\]', entry.text)
            if not form or len(form[1].split(",")) != len(rest):
                self.problems.add(f"{kind!r} with {len(rest)} more is no documented form")
            self.told.add(f"{entry.pattern} {kind.decode()}")
        elif data:
            command = json.loads(data)["command"]
            if f'"{command}"' not in entry.text:
                self.problems.add(f"the command {command} on {entry.pattern} is not documented")

    def _check_event(self, event: dict[str, Any]) -> None:
        type = event["type"]
        self.events.add(type)
        facts = event.keys() - {"type", "at", "id"}
        if not (isinstance(event["at"], int) and isinstance(event["id"], str)):
            self.problems.add(f"at and id of {event} are not what the page says")
        for fact in facts - EVENT_FACTS.get(type, frozenset()):
            self.problems.add(f"the event {type} has a fact {fact}, the page tells of none")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Look on until the condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.look()
            if condition():
                return
            assert time.monotonic() < deadline, f"{what} did not come about"
            time.sleep(0.02)


@contextmanager
def observed(url: str) -> Iterator[Observer]:
    client: redis.Redis = redis.Redis.from_url(url)
    heard = client.pubsub()
    try:
        heard.psubscribe("jober:*", "rq:pubsub:*")
        yield Observer(client=client, heard=heard)
    finally:
        heard.close()
        client.close()


def make_all_happen(fleet: Fleet, observer: Observer, receiver: str) -> None:
    """Start a fleet, and have it do everything there is but end."""
    jober = fleet.jober
    doomed = fleet.agent("gamma", "doomed")
    jober.add_job("stuck", call="time:sleep", args=[600], roles=["doomed"])
    stuck = jober.run("stuck")
    observer.until(lambda: stuck.state == "running", "the run that will be lost")
    # As when the power goes: the agent, and its guardian before it can start another.
    os.kill(jober.agents()[0].pid, signal.SIGKILL)
    doomed.kill()
    doomed.wait()
    stuck.cancel("nobody hears of it")
    _poison(jober, observer)

    _let_somebody_in(jober, observer)
    jober.diagnose()

    # A run without a job, of somebody who goes.
    owned = jober.run(["sleep", "600"], id="owned", roles=["nowhere"])
    again = jober.store.runs.original(owned.id)
    entry = ManualRun(
        id="owned-2",
        queue="nowhere",
        data=again.data,
        options="{}",
        description="",
        timeout="60",
    )
    jober.store.runs.enqueue(NO_JOB, [entry], owner="m1")
    observer.look()
    list(jober.cancel_all([owned.id, *jober.store.owners.runs("m1")]))
    jober.store.owners.forget("m1")

    # What is to be seen while nobody is there: the bells of the queues, a waking call.
    _define(jober, receiver)
    for name in (
        "sum",
        "broken",
        "raises",
        "late",
        "slow",
        "slow",
        "again",
        "idle",
        "stale",
        "reads",
        "reads",
    ):
        jober.run(name)
    for _ in range(2):
        jober.run("everywhere", host="alpha")
    jober.run("first").cancel("so that an end is to be followed")
    jober.run("first", idempotency_key="first of all")
    waits = jober.run("after-first", args=[Result("first"), 1])
    queue = rq.Queue("adder", connection=observer.client, serializer=JSONSerializer)
    foreign = queue.enqueue("operator.add", 1, 2)
    after = queue.enqueue("operator.add", 3, 4, depends_on=foreign)
    later = queue.enqueue_in(timedelta(seconds=1), "operator.add", 5, 6)
    observer.client.set("rq:scheduler-lock:adder", "as if RQ had it", ex=1)
    suspend(observer.client)
    observer.look()
    resume(observer.client)

    fleet.agent("alpha", "adder,db", drain=0)
    fleet.agent("beta", "db", drain=0)
    fleet.scheduler()
    observer.until(lambda: len(jober.runs("nightly")) > 1, "a second fire")
    jober.pause("nightly")
    jober.resume("nightly")
    jober.update_job("nightly", title="Every second")
    ids = [foreign.id, after.id, later.id, jober.runs("nightly")[-1].id]
    own = [jober.handle(id) for id in ids]
    observer.until(lambda: all(run.state == "success" for run in own), "four good ends")
    _ask_for_a_log(jober, observer)
    refusing = ("--filter", "operator:not_", "--journal-dir", "/dev/null/journal")
    fleet.start("jober-worker", "--host", "picky", "--roles", "few", *refusing)
    observer.until(lambda: "picky" in {agent.host for agent in jober.agents()}, "a picky host")
    jober.add_job("unwanted", command="true", roles=["few"])
    assert jober.run("unwanted").wait(PATIENCE_S).state == "failed"
    assert waits.result(PATIENCE_S) == 4
    observer.until(lambda: jober.runs("last"), "a run that the end of another has started")
    jober.cordon("beta")
    jober.set_roles("elsewhere", ["db"])
    observer.look()
    jober.uncordon("beta")


def _let_somebody_in(jober: Jober, observer: Observer) -> None:
    """A user who logs in, fails to, and has a token; a link; and all that is left behind."""
    people, log_in = People(jober), LogIn(jober)
    actor = Actor(name="root@alpha", via="cli")
    people.add_user("ann", "correct horse", "admin", actor, tags=["backup"])
    _, token = people.make_token("deploys", "viewer", actor, user="ann")
    assert people.bearer(token)
    opened = log_in.with_password("ann", "correct horse", "192.0.2.1")
    assert log_in.known(opened.id)
    with pytest.raises(WrongLogin):
        log_in.with_password("ann", "wrong", "192.0.2.1")
    used = log_in.make_link("dev", Scope.ADMIN, actor)
    log_in.with_link(used, "192.0.2.1")
    log_in.make_link("dev", Scope.ADMIN, actor)
    observer.look()
    people.remove_user("ann", actor)
    people.end_sessions("dev", actor)
    people.add_user("ben", "correct horse", "viewer", actor)
    people.make_token("dashboard", "viewer", actor)


def _poison(jober: Jober, observer: Observer) -> None:
    """A run that takes its agent down three times."""
    jober.add_job("deadly", command="true", roles=["deadly"], retries=9, retry_on=["lost"],
                  retry_delay=0)  # fmt: skip
    run = jober.run("deadly")
    for _ in range(3):
        jober.store.leases.promote()
        assert jober.store.leases.claim("delta-0000ff", "delta", ["deadly"], 1).runs
        leases: Any = observer.client.zrange(keys.LEASES, 0, -1)
        [lease] = [member for member in leases if member.startswith(run.id.encode())]
        observer.client.zadd(keys.LEASES, {lease: 1})
        jober.store.leases.reclaim()
    assert run.state == "poisoned"


def _ask_for_a_log(jober: Jober, observer: Observer) -> None:
    """As a client would that goes away before the answer comes."""
    jober.add_job("filed", command="echo in a file", shell=True, output="file", roles=["adder"])
    run = jober.run("filed").wait(PATIENCE_S)
    [file] = jober.store.outputs.files(run.id)
    asked = {"reply": "01", "run": run.id, "attempt": file.attempt, "start": 0, "end": 100}
    command = json.dumps({"command": "log", **asked})
    observer.client.publish(keys.rq_pubsub(str(run.agent)), command)
    observer.until(lambda: observer.client.exists(keys.reply("01")), "an answer")


def _define(jober: Jober, receiver: str) -> None:
    """A job for each thing that may happen. All that sleep are stopped in the end."""
    db: dict[str, Any] = {"roles": ["db"]}
    jober.add_job("nightly", command=NIGHTLY, shell=True, every=1, **db)
    holidays = Calendar.from_spec("holidays", ["12-25"])
    jober.store.jobs.apply([Change(op="calendar", name="holidays", calendar=holidays)])
    jober.add_job("festive", command="true", cron="0 3 * * *", exclude=["holidays"], **db)
    jober.add_job("sum", call="operator:add", args=[1, 2], roles=["adder"])
    jober.add_job("broken", command="exit 3", shell=True, **db)
    jober.add_job("raises", call="operator:truediv", args=[1, 0], roles=["adder"])
    jober.add_job("late", command="sleep 600", timeout=0.2, **db)
    again = {"retries": 1, "retry_delay": 0.5, "retry_on": ["exit:3"]}
    jober.add_job("again", command="exit 3", shell=True, **again, **db)
    hooks = ("env:HOOK_OF_NO_SCHEDULER", receiver, f"{receiver}/gone")
    notify = [{"on": ["every-failure"], "webhook": hook} for hook in hooks]
    jober.add_job("tells", command="exit 3", shell=True, every=1, notify=notify, **db)
    jober.add_job("idle", command="exit 75", shell=True, skip_exit_codes=[75], **db)
    jober.add_job("last", command="true", roles=["adder"])
    added = {"call": "operator:add", "roles": ["adder"]}
    jober.add_job("first", args=[1, 2], on_success=["last"], **added)
    jober.add_job("after-first", args=[1, 1], needs=["first"], fresh_for="6h", **added)
    jober.add_job("stale", command="true", expires=0.5, roles=["nowhere"])
    jober.add_job("slow", command="sleep 600", every=1, **db)
    jober.set_limit("database", 1)
    jober.add_job("reads", command="sleep 600", overlap="allow", limits=["database"], **db)
    jober.add_job("few", command="true", every=1, on=5, prefer="spread", **db)
    jober.add_job("fleeting", command="true", volatile=True, **db)
    jober.add_job("leaves", command="true", every=1, keep_for=1, cleanup="builtins:print", **db)
    jober.add_job("packed", command="true", every=1, prefer="pack", **db)
    jober.add_job("lonely", command="true", every=1, roles=["nowhere"])
    again = {"restart_delay": 0.5, "healthy_after": 0.2}
    jober.add_job("kept", command="sleep 1", service=True, **again, **db)
    jober.add_job("kept-everywhere", command="sleep 600", service=True, on="every", **db)
    jober.add_job("everywhere", command="sleep 600", every=1, on="every", overlap="queue", **db)


def wait_for_all(jober: Jober, observer: Observer) -> None:
    """Wait until all that the page tells of has been, but for what only the end brings."""
    of_the_end = {"agent.left", "leader.resigned", "job.removed"}

    def missing() -> set[str]:
        patterns = {entry.pattern for entry in KEYS} - {keys.OVERFULL} - observer.seen
        return patterns | (EVENT_TYPES.keys() - of_the_end - observer.events)

    try:
        observer.until(lambda: not missing(), "all that the page tells of")
    except AssertionError:
        pytest.fail(f"on the page, and never seen: {sorted(missing())}")
    states = {str(run.state) for run in jober.runs(limit=1000)}
    assert states >= {"running", "parked", "success", "failed", "timeout", "lost"}
    assert states >= {"skipped", "missed"}


def end_all(fleet: Fleet, observer: Observer) -> None:
    """Remove all jobs, cancel all runs, stop all processes, in order."""
    jober = fleet.jober
    for record in list(jober.jobs()):
        jober.remove_job(record.name, force=True)
    for run in jober.runs(limit=1000):
        if not run.state.is_final:
            jober.handle(run.id).cancel()
    observer.until(lambda: all(run.state.is_final for run in jober.runs(limit=1000)), "the end")
    observer.until(lambda: not observer.client.exists(keys.WAKE), "a look of the leader")
    started = [process for process in fleet.processes if process.poll() is None]
    for process in started:
        process.terminate()
    observer.until(lambda: all(process.poll() is not None for process in started), "their end")
    assert [process.returncode for process in started] == [0] * len(started)


def left_over(client: redis.Redis) -> list[str]:
    """The passing keys that have stayed, though nothing goes on, and do not expire either."""
    return [
        key.decode()
        for key in client.scan_iter("*")
        for entry in KEYS
        if entry.passing and entry.matches(key.decode()) and client.ttl(key) == -1
    ]
