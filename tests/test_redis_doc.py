"""docs/redis.md and Redis say the same: a real fleet does all it can, and each key it leaves, each
field, type, expiry and message is looked up on the page; and the page promises nothing more."""

import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgpack
import pytest
import redis
import rq
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend

from jober import Jober
from jober.access import Actor, Scope
from jober.client.log_in import LogIn
from jober.client.people import People
from jober.embedded import find_server
from jober.errors import WrongLogin
from jober.event import EVENT_TYPES
from jober.ids import manual_run_id
from jober.run import NO_JOB, RQ_STATUS, TRANSITIONS, RunState
from jober.schedule import Calendar
from jober.store import Store, keys
from jober.store.changes import Change
from jober.store.runs import ManualRun
from jober.workflow import Result
from tests.fleet import Fleet
from tests.receiver import Receiver

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "redis.md").read_text("utf-8")
LUA = ROOT / "common" / "jober" / "store" / "lua"
PATIENCE_S = 60.0
NIGHTLY = f"echo hello; echo oops >&2; {sys.executable} -m jober.cli progress 1 2 --group a"

# The page, read


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A key or a channel of the page. `expires_s` is None for never; `once`: not from the start."""

    pattern: str
    type: str
    passing: bool
    expires_s: int | None
    once: bool
    fields: frozenset[str]
    text: str

    def matches(self, key: str) -> bool:
        return _regex(self.pattern).fullmatch(key) is not None


_PARTS = {
    "<name>": r"[A-Za-z0-9_-]+",
    "<job>": r"[A-Za-z0-9_-]+",
    "<run>": r"[A-Za-z0-9_-]+",
    "<reply>": r"[a-z0-9]+",
    "<delivery>": r"[0-9]+-[0-9]+-[0-9]+",
    "<receiver>": r".+",
    "<owner>": r"[a-z0-9-]+",
    "<user>": r"[A-Za-z0-9][A-Za-z0-9._@+:-]*",
    "<token>": r"[a-z2-7]{10}",
    "<hash>": r"[0-9a-f]{8,64}",
    "[@<host>]": r"(?:@[A-Za-z0-9.-]+)?",
    "<agent>": r"[A-Za-z0-9.-]+-[0-9a-f]{6}",
    "<limit>": r"[A-Za-z0-9][A-Za-z0-9_-]*",
    "<host>": r"[A-Za-z0-9.-]+",
    "<calendar>": r"[A-Za-z][A-Za-z0-9_-]*",
    "<revision>": r"[0-9]+",
    "<queue>": r"[^:]+",
    "<list>": r"(?:tag:.+|role:.+|paused)",
    "<key>": r".+",
}
_UNITS = {"s": 1, "min": 60, "d": 86_400}


def _regex(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern)
    for part, regex in _PARTS.items():
        text = text.replace(re.escape(part), regex)
    assert "<" not in text, f"{pattern} has a placeholder that the conventions do not tell of"
    return re.compile(text)


def _first_cells(text: str) -> Iterator[str]:
    """The names in the first column of each table."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`([^`]+)`", line.split("|")[1])


def _entries() -> list[Entry]:
    found = []
    parts = re.split(r"^### `(.+)` · (\w+)( · passing)?$", PAGE, flags=re.MULTILINE)
    for pattern, type, passing, body in zip(*(iter(parts[1:]),) * 4, strict=True):
        text = re.split(r"^## ", body, flags=re.MULTILINE)[0]
        expires = re.search(r"^- \*\*Expires\*\* (never|(\d+) (s|min|d))(.*)$", text, re.MULTILINE)
        assert expires or type == "channel", f"the page does not say when {pattern} expires"
        seconds = int(expires[2]) * _UNITS[expires[3]] if expires and expires[2] else None
        found.append(
            Entry(
                pattern=pattern,
                type=type,
                passing=bool(passing),
                expires_s=seconds,
                once=bool(expires and "once" in expires[4]),
                fields=frozenset(_first_cells(text.split("\n| type |")[0])),
                text=text,
            )
        )
    return found


ENTRIES = _entries()
KEYS = [entry for entry in ENTRIES if entry.type != "channel"]
CHANNELS = [entry for entry in ENTRIES if entry.type == "channel"]


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table under the row `heading`."""
    table = PAGE.split(heading, 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


EVENT_FACTS = {
    row[0].strip("`"): frozenset(re.findall(r"`(\w+)`", row[2]))
    for row in _rows("| type | what happened |")
}


def test_every_name_in_keys_py_is_on_the_page() -> None:
    known = {re.sub(r"<\w+>", "<>", entry.pattern) for entry in ENTRIES}
    for name, value in vars(keys).items():
        if name.startswith("_"):
            continue
        if inspect.isfunction(value):
            arguments = ["<>" for _ in inspect.signature(value).parameters]
            built = value(*arguments)
            if "host" in inspect.signature(value).parameters:
                built = built.replace("@<>", "[@<>]")
            assert built in known, f"keys.{name} builds {built}, which the page does not tell of"
        else:
            assert value in known, f"keys.{name} is {value}, which the page does not tell of"


def test_every_key_that_a_script_builds_is_on_the_page() -> None:
    beginnings = [entry.pattern.split("<")[0].split("[")[0] for entry in ENTRIES]
    for path in LUA.rglob("*.lua"):
        code = re.sub(r"--.*", "", path.read_text("utf-8"))
        for literal in re.findall(r"'((?:jober|rq):[^']*)'", code):
            assert literal in beginnings, f"{path.name} builds {literal}…, the page knows none such"


def test_every_event_type_is_on_the_page() -> None:
    assert EVENT_FACTS.keys() == EVENT_TYPES.keys()


def test_the_states_on_the_page_are_those_of_the_transition_table() -> None:
    told = {row[0].strip("`"): row for row in _rows("| state | RQ's `status` |")}
    assert told.keys() == {str(state) for state in RunState}
    for state, next_states in TRANSITIONS.items():
        assert told[state][1] == f"`{RQ_STATUS[state]}`"
        assert set(re.findall(r"`(\w+)`", told[state][3])) == set(next_states)


# What a fleet does


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
            if any("<" in field and _regex(field).fullmatch(name) for field in entry.fields):
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
        else:
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


def test_a_list_that_has_grown_past_its_bound_is_told_to_the_pruner(store: Store) -> None:
    with Jober(store.url) as jober, observed(store.url) as observer:
        jober.add_job("hoard", command="true", roles=["nowhere"])
        ids = [manual_run_id("hoard", 1) for _ in range(1101)]
        store.runs.enqueue("hoard", [ManualRun(id=id) for id in ids])
        store.runs.cancel(ids[0], "enough")
        observer.look()
    assert keys.OVERFULL in observer.seen
    assert not observer.problems


def test_all_that_a_fleet_writes_is_on_the_page_and_all_on_the_page_is_written(
    fleet: Fleet, tmp_path: Path
) -> None:
    with observed(fleet.url) as observer, Receiver() as receiver:
        _make_all_happen(fleet, observer, receiver.url)
        _check_recipes(fleet.jober, fleet.url, tmp_path)
        _wait_for_all(fleet.jober, observer)
        skipped = "overlap: 1 run is still going"
        observer.until(
            lambda: skipped in {entry.reason for entry in fleet.jober.ledger("slow")},
            "a fire that was skipped",
        )
        assert fleet.jober.ledger("lonely")[0].reason == "no live host for role nowhere"
        _end_all(fleet, observer)
        observer.look()
        assert not observer.problems, "\n".join(sorted(observer.problems))
        assert observer.events == EVENT_TYPES.keys()
        forms = {f"{keys.out('<run>')} {kind}" for kind in ("frame", "progress", "end")}
        assert forms <= observer.told
        assert {entry.pattern for entry in CHANNELS} <= observer.told
        assert not _left_over(observer.client)


def _make_all_happen(fleet: Fleet, observer: Observer, receiver: str) -> None:
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


def _wait_for_all(jober: Jober, observer: Observer) -> None:
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


def _end_all(fleet: Fleet, observer: Observer) -> None:
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


def _left_over(client: redis.Redis) -> list[str]:
    """The passing keys that have stayed, though nothing goes on, and do not expire either."""
    return [
        key.decode()
        for key in client.scan_iter("*")
        for entry in KEYS
        if entry.passing and entry.matches(key.decode()) and client.ttl(key) == -1
    ]


# The recipes


def _client_program() -> str:
    """redis-cli: on PATH, or beside the server."""
    for name in ("redis-cli", "valkey-cli"):
        beside = Path(find_server()).with_name(name)
        if found := shutil.which(name) or (str(beside) if beside.exists() else None):
            return found
    pytest.fail("there is a Redis server and no redis-cli (apt install redis-tools)")


def _check_recipes(jober: Jober, url: str, folder: Path) -> None:
    """Each line of each recipe does what it should in a plain shell, and prints something."""
    shim = folder / "redis-cli"
    shim.write_text(f'#!/bin/sh\nexec {_client_program()} -s {url.removeprefix("unix://")} "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "JOB": "nightly",
        "RUN": next(run.id for run in jober.runs("nightly") if run.state == "success"),
        "AGENT": jober.agents()[0].id,
    }
    recipes = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(recipes) >= 10
    for recipe in recipes:
        endless = re.search(r"^redis-cli SUBSCRIBE (\S+)$", recipe, re.MULTILINE)
        if endless:
            assert endless[1] in {entry.pattern for entry in CHANNELS}
            recipe = recipe.replace(endless[0], "")
        # The failures of a job are looked for where there are some.
        job = {"JOB": "broken"} if "failed" in recipe else {}
        done = subprocess.run(
            ["/bin/sh", "-euc", recipe],
            env={**environment, **job},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{recipe}\n{done.stderr}"
        assert done.stdout.strip(), f"the recipe printed nothing:\n{recipe}"
        assert "ERR" not in done.stdout and "WRONGTYPE" not in done.stdout, done.stdout
        if "EVAL" in recipe:
            assert {"hello", "oops"} <= set(done.stdout.split())
        if "failed" in recipe:
            assert "exit code 3" in done.stdout
