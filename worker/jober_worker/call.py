"""What a claimed run is to do, read from its record: a program to start, or a function to call."""

import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jober.errors import JoberError, NewerSchema
from jober.job.payload import CLEAN_UP, COMMAND, MODULE, SCRIPT, SCRIPT_CALL, SHELL, split_script
from jober.run import Claim
from jober.schema import check_schema
from jober.store.fields import decompressed
from jober_worker.deleted_run import deleted_run

# No number of an option is larger, in bytes or in seconds.
_MOST = 1 << 60
# What the options may be; None is as if it was left out.
_KINDS: dict[tuple[str, ...], tuple[type, ...]] = {
    ("cwd", "output", "stderr", "env_file", "user", "group", "umask", "traceparent"): (str,),
    ("timeout", "grace", "cpus", "cpu_time"): (int, float),
    ("process", "locals"): (bool,),
    ("max_runs_per_process", "nice"): (int,),
    ("memory",): (int, str),
    ("env",): (dict,),
    ("secret",): (list,),
}
# A plain RQ job of which the record is longer goes alone.
BATCHED_AT_MOST = 16 * 1024
# What is called or sent at the end of a plain RQ job.
RQ_AT_END = (
    *(b"success_callback_name", b"failure_callback_name", b"stopped_callback_name"),
    b"webhooks",
)


class CallUnreadable(JoberError):
    """The record of a run does not say what to do, or says it in a way that is refused."""


class CallOfLater(CallUnreadable):
    """The record is of a later schema: an agent that knows it may do what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to do it. Seconds; None where the job does not say.

    `output` is "memory", "file" or "none", `stderr` is "split" or "merge"; `secret` names the
    variables whose values are masked, `locals` asks for tracebacks with local variables.
    """

    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    grace_s: float = 5.0
    process: bool = False
    locals: bool = False
    output: str = "memory"
    stderr: str = "split"
    secret: tuple[str, ...] = ()
    max_runs_per_process: int = 100
    least_s_per_process: float = 0.0  # it is not ended for its runs sooner than that
    env_file: str | None = None
    user: str | None = None
    group: str | None = None
    umask: str | None = None  # octal
    nice: int | None = None
    memory: str | int | None = None
    cpus: float | None = None
    cpu_time: float | None = None
    traceparent: str | None = None  # of who made the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program with its arguments. `kind` is command, module or script, and `name` which."""

    argv: tuple[str, ...]
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function by its dotted name, or by its name in a file, with JSON arguments; `job` is that
    of the run that it cleans up after."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    file: str | None = None
    job: str | None = None

    def asked(self) -> dict[str, Any]:
        """What its process is asked for."""
        return {"name": self.name, "file": self.file, "args": self.args, "kwargs": self.kwargs}


@dataclass(frozen=True, slots=True, kw_only=True)
class RqTerms:
    """What an agent, as the worker `worker`, grants the own RQ jobs of applications."""

    url: str
    worker: str
    accept_pickle: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RqCall:
    """A plain RQ job, as its record has it; `stopped` asks for its callback of that instead."""

    id: str
    record: Mapping[bytes, bytes]
    url: str
    pickled: bool
    stopped: bool = False
    name: str | None = None  # of the function; None where that is pickled too
    args: tuple[Any, ...] = ()

    @property
    def callbacks(self) -> tuple[str, ...]:
        """The names of the functions that may be called after it."""
        fields = (f"{when}_callback_name".encode() for when in ("success", "failure", "stopped"))
        found = (self.record.get(field, b"") for field in fields)
        return tuple(name.decode("utf-8", "replace") for name in found if name)

    def asked(self) -> dict[str, Any]:
        """What its process is asked for."""
        record = {_base64(name): _base64(value) for name, value in self.record.items()}
        return {
            "rq": {
                "id": self.id,
                "record": record,
                "url": self.url,
                "pickled": self.pickled,
                "stopped": self.stopped,
            }
        }


def read_call(claim: Claim, rq: RqTerms) -> tuple[Program | Function | RqCall, Options]:
    """What the run is to do. Raises CallUnreadable."""
    plain = _plain_data(claim.data)
    options = _read_options(claim)
    if claim.record and rq.accept_pickle and not _is_json(plain):
        return _rq_call(claim, rq, pickled=True), options
    name, args, kwargs = _read_data(plain)
    try:
        what = _what(name, args, kwargs)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise CallUnreadable(f"the arguments of {name} are not what it takes") from None
    if claim.record and isinstance(what, Function) and what.file is None:
        return replace(_rq_call(claim, rq, pickled=False), name=name, args=tuple(args)), options
    return what, options


def read_batched(claim: Claim, rq: RqTerms) -> RqCall | None:
    """A plain RQ job that can be one of a batch; None where it cannot, and where it is none."""
    record = claim.record
    if not record or claim.fire_at or claim.term or claim.work.options != "{}":
        return None
    if any(map(record.get, RQ_AT_END)):
        return None
    if sum(map(len, record)) + sum(map(len, record.values())) > BATCHED_AT_MOST:
        return None
    plain = _plain_data(claim.data)
    # As pickle begins since its second version, and no JSON does.
    if plain.startswith(b"\x80"):
        return _rq_call(claim, rq, pickled=True) if rq.accept_pickle else None
    try:
        what, _ = read_call(claim, rq)
    except CallUnreadable:
        return None
    return what if isinstance(what, RqCall) else None


def _rq_call(claim: Claim, rq: RqTerms, *, pickled: bool) -> RqCall:
    return RqCall(id=claim.id, record=claim.record, url=rq.url, pickled=pickled)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _what(name: str, args: list[Any], kwargs: dict[str, Any]) -> Program | Function:
    python = (sys.executable, "-u")
    if name == COMMAND:
        return _program("command", args[0], args[0][0])
    if name == SHELL:
        return _program("command", ["/bin/sh", "-c", args[0]], "/bin/sh")
    if name == MODULE:
        return _program("module", [*python, "-m", args[0], *args[1]], args[0])
    if name == SCRIPT:
        return _program("script", [*python, args[0], *args[1]], args[0])
    if name == CLEAN_UP:
        function, facts = args
        run = deleted_run(facts)
        if not isinstance(function, str) or not isinstance(run["job"], str):
            raise TypeError(function)
        return Function(name=function, args=(run,), kwargs={}, job=run["job"])
    if name == SCRIPT_CALL:
        script, arguments, keywords = args
        file, function = split_script(script)
        if function is None:
            raise ValueError(script)
        return Function(file=file, name=function, args=tuple(arguments), kwargs={**keywords})
    return Function(name=name, args=tuple(args), kwargs=kwargs)


def _program(kind: str, argv: Any, name: str) -> Program:
    return Program(argv=_texts(argv), kind=kind, name=name)


def _texts(argv: Any) -> tuple[str, ...]:
    if not isinstance(argv, list) or not argv or not all(isinstance(one, str) for one in argv):
        raise TypeError(argv)
    return tuple(argv)


def _plain_data(data: bytes) -> bytes:
    return data if data.startswith(b"[") else decompressed(data)


def _is_json(plain: bytes) -> bool:
    try:
        json.loads(plain)
    except ValueError:
        return False
    return True


def _read_data(plain: bytes) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        call = json.loads(plain)
    except ValueError:
        # RQ's default serializer is pickle: to read it is to run what whoever wrote it chose.
        raise CallUnreadable(
            "its data is not JSON, and pickle is refused (enqueue with "
            "rq.serializers.JSONSerializer, or start the agent with --accept-pickle)"
        ) from None
    if not (
        isinstance(call, list)
        and len(call) == 4
        and isinstance(call[0], str)
        and isinstance(call[2], list)
        and isinstance(call[3], dict)
    ):
        raise CallUnreadable("its data is not [function, null, args, kwargs]")
    name, instance, args, kwargs = call
    if instance is not None:
        raise CallUnreadable(f"{name} is a method of an object, which JSON cannot carry")
    return name, args, kwargs


def _read_options(claim: Claim) -> Options:
    try:
        given = _checked(json.loads(claim.work.options))
        check_schema(f"run '{claim.id}'", given.get("schema"))
        return Options(
            cwd=given.get("cwd"),
            env={str(name): str(value) for name, value in given.get("env", {}).items()},
            timeout_s=given.get("timeout"),
            grace_s=given.get("grace", 5.0),
            process=given.get("process", False),
            locals=given.get("locals", False),
            output=given.get("output", "memory"),
            stderr=given.get("stderr", "split"),
            secret=tuple(given.get("secret", ())),
            max_runs_per_process=given.get("max_runs_per_process", 100),
            env_file=given.get("env_file"),
            user=given.get("user"),
            group=given.get("group"),
            umask=given.get("umask"),
            nice=given.get("nice"),
            memory=given.get("memory"),
            cpus=given.get("cpus"),
            cpu_time=given.get("cpu_time"),
            traceparent=given.get("traceparent"),
        )
    except NewerSchema as error:
        raise CallOfLater(str(error)) from None
    except (ValueError, AttributeError):
        raise CallUnreadable("its options are not a JSON object") from None


def _checked(given: Any) -> Any:
    """The options, each of its kind: a record may hold anything. Raises CallUnreadable."""
    for names, kinds in _KINDS.items():
        for name in names:
            value = given.get(name)
            if value is None or type(value) in kinds:
                if not isinstance(value, int | float) or -_MOST <= value <= _MOST:
                    continue
            raise CallUnreadable(f"its option {name} is not what it may be: {value!r:.50}")
    if not all(isinstance(name, str) for name in given.get("secret") or ()):
        raise CallUnreadable("its option secret is no list of texts")
    return {name: value for name, value in given.items() if value is not None}
