"""Somebody who can write to Redis, and has no key, has nothing run on hosts that have keys.

Each attack is made with raw commands, on a real fleet. What it would run makes a file.
"""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from jober import Jober
from jober.client.building import Place
from jober.job import Job
from jober.signing import DEFINE, FIRE, Seal, new_key
from jober.signing.key_file import write_key
from jober.signing_errors import NotSigned, RunNotSigned, SigningError
from jober.store import keys
from jober.store.jobs import JobRecord
from tests.signing.attacked import Attacked, Record, definition, refused
from tests.waiting import wait_until

TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"


def options(attacked: Attacked, id: str, **changed: Any) -> None:
    told: Any = attacked.client.hget(keys.rq_job(id), "options")
    attacked.client.hset(keys.rq_job(id), "options", json.dumps({**json.loads(told), **changed}))


def other_command(attacked: Attacked, id: str) -> None:
    attacked.client.hset(keys.rq_job(id), "data", attacked.evil())


def other_env(attacked: Attacked, id: str) -> None:
    options(attacked, id, env={"A": "1", "LD_PRELOAD": "/tmp/evil.so"})


def other_user(attacked: Attacked, id: str) -> None:
    options(attacked, id, user="root")


def other_folder(attacked: Attacked, id: str) -> None:
    options(attacked, id, cwd="/tmp")


def other_fire(attacked: Attacked, id: str) -> None:
    attacked.client.hset(keys.rq_job(id), "fire_at", "2026-11-21T03:00:00.000000Z")


def other_job(attacked: Attacked, id: str) -> None:
    attacked.client.hset(keys.rq_job(id), "job", "for-others")


def as_if_filled(attacked: Attacked, id: str) -> None:
    told: Any = attacked.client.hget(keys.rq_job(id), "data")
    attacked.client.hset(keys.rq_job(id), mapping={"template": told, "data": attacked.evil()})


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        (other_command, "not what key"),
        (other_env, "not what key"),
        (other_user, "not what key"),
        (other_folder, "not what key"),
        (other_fire, "not what key"),
        (other_job, "not what key"),
        (as_if_filled, "not those that it was ordered with"),
    ],
)
def test_a_run_that_was_changed_in_redis_is_refused(
    attack: Callable[[Attacked, str], None], why: str, attacked: Attacked
) -> None:
    id = attacked.held("good")
    attack(attacked, id)
    refused(attacked.let_go(id), attacked, why)


def test_parameters_of_a_run_that_were_changed_are_refused(attacked: Attacked) -> None:
    id = attacked.held("sum", args=[3, 4])
    attacked.client.hset(keys.rq_job(id), "data", json.dumps(["operator.add", None, [5, 6], {}]))
    refused(attacked.let_go(id), attacked, "not what key")
    assert attacked.jober.run("sum", args=[3, 4]).result(30) == 7


def test_a_run_that_was_once_is_not_run_again(attacked: Attacked) -> None:
    id = attacked.jober.run("good").wait(30).id
    attacked.put(id, "db", attacked.copy(id))
    refused(attacked.end(id), attacked, "it was run here before")
    attacked.put("another", "db", attacked.copy(id))
    refused(attacked.end("another"), attacked, "not what key")


def test_a_run_is_not_run_on_a_host_that_it_was_not_meant_for(attacked: Attacked) -> None:
    id = attacked.jober.run("for-others").id
    attacked.client.lrem(keys.rq_queue("web"), 0, id)
    attacked.put(id, "db", attacked.copy(id))
    refused(attacked.end(id), attacked, "it is for hosts with the role web")
    elsewhere = attacked.jober.run("good", host="beta").id
    attacked.client.delete(keys.rq_queue("@beta"))
    attacked.put(elsewhere, "@alpha", attacked.copy(elsewhere))
    refused(attacked.end(elsewhere), attacked, "ordered for the host beta")


def test_a_run_once_more_goes_where_it_was_signed_to_go(attacked: Attacked) -> None:
    jober = attacked.jober
    evil = Job(name="run", command=f"touch {attacked.mark}", roles=["db"]).to_json()
    ids = [jober.run("for-others").id, jober.run(["touch", str(attacked.mark)], roles=["web"]).id]
    changes: list[Record] = [{"target": "alpha"}, {"target": "", "spec": evil}]
    for told in changes:
        for id in ids:
            attacked.client.hset(keys.rq_job(id), mapping=told)
            again = jober.handle(id).rerun().id
            assert attacked.client.hget(keys.rq_job(again), "origin") == b"web"
            attacked.put(again, "db", attacked.copy(again))
            refused(attacked.end(again), attacked, "it is for hosts with the role web")
    with pytest.raises(RunNotSigned, match="which of its words are arguments"):
        jober.handle(ids[1]).rerun(args=["-a"])
    bound = jober.run("good", host="alpha").id
    attacked.client.hset(keys.rq_job(bound), "target", "beta")
    there = jober.handle(bound).rerun()
    assert there.wait(30).state == "success", "bound to alpha, as it was ordered"
    attacked.client.hset(keys.rq_job(there.id), "data", attacked.evil())
    with pytest.raises(RunNotSigned, match="not what key"):
        there.rerun()


def test_a_run_with_other_arguments_is_made_of_what_is_signed_now(attacked: Attacked) -> None:
    """Of what it was made from before, nobody has signed which words were its arguments."""
    jober = attacked.jober
    jober.add_job("words", command=["printf", "%s", "a"], roles=["db"])
    jober.update_job("words", command=["printf", "%s"], args=["b"])
    run = jober.run("words")
    assert run.wait(30).state == "success"
    record: Record = {"revision": 1, "arguments": ""}
    former = Job(name="words", command="printf", args=["%s", "b"]).to_json()
    attacked.client.hset(keys.former("words"), "1", former)
    attacked.client.hset(keys.rq_job(run.id), mapping=record)
    again = run.rerun(args=["c"])
    assert again.wait(30).state == "success"
    assert json.loads(attacked.copy(again.id)["data"])[2] == [["printf", "%s", "c"]]
    jober.update_job("words", command=["printf", "-v"])
    with pytest.raises(RunNotSigned, match="the definition as it is signed now"):
        run.rerun(args=["c"])


def test_a_host_is_given_no_role_by_an_order_that_nobody_has_signed(attacked: Attacked) -> None:
    attacked.client.hset(keys.ROLES, "alpha", json.dumps(["db", "web"]))
    attacked.client.publish("rq:pubsub:" + attacked.jober.agents()[0].id, '{"command": "orders"}')
    id = attacked.jober.run("for-others").id
    attacked.client.lrem(keys.rq_queue("web"), 0, id)
    attacked.put(id, "db", attacked.copy(id))
    refused(attacked.end(id), attacked, "role web")
    assert attacked.jober.agents()[0].roles == frozenset({"db"})
    attacked.client.delete(keys.ROLES)


def test_what_nobody_has_defined_is_refused(attacked: Attacked) -> None:
    bare = {"data": attacked.evil(), "options": "{}", "status": "queued", "state": "queued"}
    attacked.put("bare", "db", {**bare, "job": "_", "trigger": "manual"})
    refused(attacked.end("bare"), attacked, "is not signed")
    attacked.put("plain", "db", {**bare, "created_at": "2026-11-21T03:00:00Z"})
    refused(attacked.end("plain"), attacked, "signed by nobody")
    call = pickle.dumps(("os.system", None, (f"touch {attacked.mark}",), {}))
    attacked.put("pickled", "db", {"data": call, "status": "queued"})
    refused(attacked.end("pickled"), attacked, "signed by nobody")


def test_a_key_that_nobody_trusts_signs_nothing(attacked: Attacked, tmp_path: Path) -> None:
    write_key(tmp_path / "own.key", new_key("ed25519"))
    with Jober(attacked.fleet.url, sign_key=tmp_path / "own.key") as mine:
        mine.add_job("mine", command=f"touch {attacked.mark}", roles=["db"])
        refused(attacked.end(mine.run("mine").id), attacked, "is not trusted here")


def test_a_key_that_may_fire_alone_defines_nothing(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEPARENT", TRACEPARENT)
    fires = attacked.fleet.fires
    with Jober(attacked.fleet.url, sign_key=fires, trust=attacked.fleet.trusted) as operator:
        run = operator.run("good")
        assert run.wait(30).state == run.rerun().wait(30).state == "success"
        for call in (
            lambda: operator.run(["touch", str(attacked.mark)], roles=["db"]),
            lambda: operator.run("sum", args=[3, 4]),
            lambda: operator.update_job("good", command="touch x"),
        ):
            with pytest.raises(SigningError, match="may not define"):
                call()


def test_no_cleanup_can_be_put_in(attacked: Attacked) -> None:
    id = attacked.jober.run("cleaned").wait(30).id
    record = attacked.copy(id)
    facts = {"run": id, "job": "cleaned", "state": "success", "host": "alpha", "fire_at": ""}
    facts |= {"term": "", "data": record["data"].decode(), "options": "{}"}
    call: list[Any] = ["jober_worker.functions.clean_up", None, ["os.system", facts], {}]
    how = json.loads(record["cleanup"])
    data = json.dumps(call, separators=(",", ":"))
    made = {**record, "job": "_", "data": data, "options": how["options"], "seal": how["seal"]}
    attacked.put("cleanup-1-x", "db", made)
    refused(attacked.end("cleanup-1-x"), attacked, "not what key")


def test_a_cleanup_is_called_as_it_is_made_and_in_no_other_way(attacked: Attacked) -> None:
    id = attacked.jober.run("cleaned").wait(30).id
    record = attacked.copy(id)
    how = json.loads(record["cleanup"])
    facts = {"run": id, "job": "cleaned", "state": "success", "host": "alpha", "fire_at": ""}
    facts |= {"term": "", "data": record["data"].decode(), "options": "{}"}
    call: list[Any] = ["jober_worker.functions.clean_up", None, [how["call"], facts], {}]
    data = json.dumps(call, separators=(",", ":"))
    made = {**record, "job": "_", "data": data, "options": how["options"], "seal": how["seal"]}
    attacked.put(f"cleanup-1-{id}", "db", made)
    assert attacked.end(f"cleanup-1-{id}").state == "success"
    told = {**made, "fire_at": "2026-11-21T03:00:00.000000Z", "term": "7"}
    for other, record in ((f"cleanup-2-{id}", told), (f"good-{id}", made)):
        attacked.put(other, "db", record)
        refused(attacked.end(other), attacked, "not as what cleans up")


def test_an_rq_job_of_an_unsigned_queue_starts_no_program(attacked: Attacked) -> None:
    attacked.fleet.agent("open", "adder")  # its queue is one of RQ jobs that nobody signs
    queue = Queue("adder", connection=attacked.client, serializer=JSONSerializer)
    assert attacked.end(queue.enqueue("operator.add", 1, 2).id).state == "success"
    program = queue.enqueue("jober_worker.functions.command", ["touch", str(attacked.mark)])
    refused(attacked.end(program.id), attacked, "what jobs alone may")


def test_an_older_definition_that_was_put_back_is_not_run(attacked: Attacked) -> None:
    jober = attacked.jober
    jober.add_job("old", command=f"touch {attacked.mark}", roles=["db"])
    before = definition(attacked, "old")
    sealed_ms = Seal.read(before["seal"].decode()).at_ms
    wait_until(lambda: jober.now_ms() > sealed_ms)
    jober.update_job("old", command="true")
    assert jober.run("old").wait(30).state == "success"
    older: Record = {name: before[name] for name in ("data", "options", "seal")}
    late = attacked.held("old")
    attacked.client.hset(keys.rq_job(late), mapping=older)
    refused(attacked.let_go(late), attacked, "older than the one that it was ordered of")
    attacked.client.hset(keys.job("old"), mapping=before)
    again = jober.run("old").id
    refused(attacked.end(again), attacked, "it is not signed")
    with pytest.raises(NotSigned, match="somebody has put it back"):
        jober.run("old", args=["x"])
    with pytest.raises(NotSigned, match="somebody has put it back"):
        jober.update_job("old", title="signed by mistake")
    jober.remove_job("old", force=True)


class Watched(Jober):
    """Somebody changes a definition after it was read, and before what was made of it is signed."""

    def __init__(self, attacked: Attacked, change: Callable[[], object]) -> None:
        super().__init__(
            attacked.fleet.url, sign_key=attacked.fleet.ops, trust=attacked.fleet.trusted
        )
        self._change = change

    def _places(self, record: JobRecord) -> list[Place]:
        self._change()
        return super()._places(record)


def test_what_is_changed_while_a_run_of_it_is_made_is_not_signed(
    attacked: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacked.jober.add_job("raced", command="true", roles=["db"])
    good = definition(attacked, "raced")
    spec = {**json.loads(good["spec"]), "env": {"PATH": "/tmp/evil"}}
    evil = {**good, "spec": json.dumps(spec)}
    place = keys.job("raced")
    monkeypatch.setenv("TRACEPARENT", TRACEPARENT)
    # It is what somebody has made of it as it is read, and as it was signed a moment later.
    attacked.client.hset(place, mapping=evil)
    with Watched(attacked, lambda: attacked.client.hset(place, mapping=good)) as jober:
        id = jober.run("raced").id
    refused(attacked.end(id), attacked, "it is not signed")
    # And the other way round.
    with Watched(attacked, lambda: attacked.client.hset(place, mapping=evil)) as jober:
        id = jober.run("raced").id
        assert attacked.end(id).state == "success"
        assert b"evil" not in attacked.copy(id)["options"]
        with pytest.raises(NotSigned, match="raced"):
            jober.run("raced", args=["x"])


def test_keys_are_changed_while_both_are_trusted(attacked: Attacked, tmp_path: Path) -> None:
    """The rotation: trust the new one too; sign with it; trust the old one no more."""
    fleet, jober = attacked.fleet, attacked.jober
    new = new_key("ed25519", (DEFINE, FIRE))
    write_key(tmp_path / "new.key", new)
    both, alone = tmp_path / "both", tmp_path / "alone"
    for folder in (both, alone):
        folder.mkdir()
        write_key(folder / "new.pub", new.public())
    for file in fleet.trusted.iterdir():
        (both / file.name).write_bytes(file.read_bytes())
    fleet.agent("both", "keyed", "--trust", str(both))
    fleet.agent("new", "keyed", "--trust", str(alone))
    jober.add_job("keyed", command="true", roles=["keyed"])
    assert jober.run("keyed", host="both").wait(30).state == "success"
    refused(attacked.end(jober.run("keyed", host="new").id), attacked, "is not trusted here")
    jober.add_job("gone", command=f"touch {attacked.mark}", roles=["keyed"])
    gone = definition(attacked, "gone")
    jober.remove_job("gone", force=True)
    with Jober(fleet.url, sign_key=tmp_path / "new.key", trust=alone) as later:
        later.sign(["keyed"])
        for host in ("both", "new"):
            assert later.run("keyed", host=host).wait(30).state == "success", host
        # What was signed once is taken back by it: who trusts the old key no more runs it no more.
        attacked.client.hset(keys.job("gone"), mapping=gone)
        attacked.client.zadd(keys.JOBS, {"gone": 0})
        refused(attacked.end(later.run("gone", host="new").id), attacked, "it is not signed")
        refused(attacked.end(jober.run("gone", host="new").id), attacked, "is not trusted here")


def test_a_host_that_only_says_that_it_has_a_role_is_sent_nothing(attacked: Attacked) -> None:
    """By a key that may define and fire: a host that was chosen was not asked for by its name."""
    [alpha] = [agent.id for agent in attacked.jober.agents() if agent.host == "alpha"]
    attacked.jober.add_job("on-all", command=f"touch {attacked.mark}", on="every", roles=["secret"])
    attacked.client.hset(keys.agent(alpha), "roles", '["db", "secret"]')
    [run] = attacked.jober.run_everywhere("on-all")
    refused(attacked.end(run.id), attacked, "it is for hosts with the role secret")
    attacked.jober.remove_job("on-all", force=True)


def test_an_order_is_spent_on_what_it_was_given_for_alone(attacked: Attacked) -> None:
    """A run with arguments of its own is not run with those of the definition, signed anew."""
    id = attacked.held("sum", args=[3, 4])
    attacked.jober.sign(["sum"])
    told = definition(attacked, "sum")
    attacked.client.hset(
        keys.rq_job(id), mapping={name: told[name] for name in ("data", "options", "seal")}
    )
    refused(attacked.let_go(id), attacked, "other parameters than these")
