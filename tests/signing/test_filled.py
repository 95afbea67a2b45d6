"""Results are put into the arguments of a run, and nothing but results."""

import json
from dataclasses import replace
from typing import Any

import pytest

from jober.job import Kind
from jober.job.payload import compact, encode_call
from jober.signing import Judge, Presented, Signing, new_key
from jober.signing.filled import is_filled, lacks_results
from jober.signing.keyring import NotBelieved
from jober.workflow import with_results

NOW = 1_800_000_000_000
A = {"$result": "a"}
WHAT: dict[Kind, Any] = {
    Kind.CALL: "pkg.mod:f",
    Kind.SCRIPT_CALL: "./x.py:f",
    Kind.COMMAND: ["cp", "--verbose"],
    Kind.SHELL: "cp 'a b' \"it's\" | sort \n",
    Kind.MODULE: "pkg.mod",
    Kind.SCRIPT: "./x.py",
}
ARGUMENTS: list[tuple[list[Any], dict[str, Any]]] = [
    ([A], {}),
    (["x", A, 2], {"to": "here"}),
    ([{"deep": [1, A]}], {"dry_run": True}),
    ([], {"to": A}),
    ([], {"to": ["x", A, "y"], "tag": {"in": A}, "dry_run": A}),
]
RESULTS: list[Any] = [
    *("text", "", "it's $(x); 'y'", "--evil", 5, True, False, None, 1.5),
    *([], ["--to", "x"], [True, None, 3], {"k": ["v"]}, {"deep": '{"n":1}'}),
]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(("args", "kwargs"), ARGUMENTS)
def test_whatever_a_result_is_it_is_put_in(
    kind: Kind, args: list[Any], kwargs: dict[str, Any]
) -> None:
    template = encode_call(kind, WHAT[kind], args, kwargs)
    assert lacks_results(template)
    assert not is_filled(template, template)
    for result in RESULTS:
        told = [with_results(one, {"a": result}) for one in (args, kwargs)]
        data = encode_call(kind, WHAT[kind], *told)
        assert is_filled(template, data), result
        assert not lacks_results(data), result


def test_a_run_that_lacks_its_results_is_not_run() -> None:
    """It waits for them: whoever can write to Redis may put it into its queue before."""
    signing = Signing(new_key("hmac"))
    fields: dict[str, str | bytes] = {"data": encoded("f", A), "options": "{}", "queue": "db"}
    what = Presented(
        run="job-1",
        job="job",
        data=encoded("f", A),
        options="{}",
        fire_at="",
        term="",
        seal=signing.seal_job("job", fields, NOW),
        order=signing.order("job-1", "job", now_ms=NOW, until_ms=NOW + 1000),
    )
    judge, roles = Judge(signing.keyring), frozenset({"db"})
    with pytest.raises(NotBelieved, match="results that it was not given"):
        judge.judge(what, "alpha", roles, NOW)
    data = encoded("f", "x")
    order = signing.refilled(judge.genuine(what), what, data, NOW)
    filled = replace(what, data=data, template=what.data, order=order)
    assert judge.judge(filled, "alpha", roles, NOW).of == "job-1"


def encoded(function: str, *args: Any, **kwargs: Any) -> bytes:
    return compact([function, None, list(args), kwargs]).encode()


def program(name: str, *args: Any) -> bytes:
    return encoded(f"jober_worker.functions.{name}", *args)


NAMED = json.dumps(A, separators=(",", ":"))


@pytest.mark.parametrize(
    ("template", "data"),
    [
        (encoded("f", A, 1), encoded("g", "x", 1)),
        (encoded("f", A, 1), encoded("f", "x", 2)),
        (encoded("f", A, 1), encoded("f", "x", True)),
        (encoded("f", A, 1), encoded("f", "x", 1, 2)),
        (encoded("f", A), encoded("f", "x", more=1)),
        (encoded("f", [A], to=1), encoded("f", ["x"], to=2)),
        (encoded("f", A, A), encoded("f", "x", A)),
        (encoded("f", {"$result": "a", "b": 1}), encoded("f", "x")),
        (encoded("f", 1), encoded("f", 2)),
        (encoded("f", NAMED), encoded("f", "x")),
        (program("command", ["cp", NAMED]), program("command", ["rm", "x"])),
        (program("command", ["cp", NAMED, "to"]), program("command", ["cp", "x", "/etc"])),
        (program("command", ["cp", NAMED]), program("command", ["cp", "x", "y"])),
        (program("command", ["cp", NAMED]), program("command", ["cp"])),
        (program("command", ["cp", NAMED]), program("command", ["cp", NAMED])),
        (program("command", ["cp", NAMED]), program("shell", "cp x")),
        (program("command", ["cp", NAMED]), program("command", ["cp", "x"], ["y"])),
        (
            program("command", ["cp", "--to", NAMED, "--dry-run"]),
            program("command", ["cp", "--to", "x", "--force"]),
        ),
        (
            program("command", ["cp", "--to", NAMED]),
            program("command", ["cp", "--to", "x", "--into", "y"]),
        ),
        (
            program("command", ["cp", compact({"a": A, "b": 1})]),
            program("command", ["cp", compact({"a": 0, "b": 2})]),
        ),
        (program("module", "a", [NAMED]), program("module", "b", ["x"])),
        (program("script", "a.py", [NAMED]), program("script", "b.py", ["x"])),
        (program("shell", f"cp '{NAMED}'"), program("shell", "rm x")),
        (program("shell", f"cp '{NAMED}'"), program("shell", "cp x; rm y")),
        (program("shell", f"cp '{NAMED}'"), program("shell", "cp $(rm y)")),
        (program("shell", f"cp '{NAMED}'"), program("shell", 'cp "$(rm y)"')),
        (program("shell", f"cp '{NAMED}'"), program("shell", "cp 'x''$(rm y)'")),
        (program("shell", f"cp '{NAMED}'"), program("shell", "cp x\nrm")),
        (program("shell", f"cp '{NAMED}' to"), program("shell", "cp x /etc")),
        (program("shell", f"cp '{NAMED}' | sort"), program("shell", "cp x | sort")),
        (encoded("f", A), b"[]"),
        (encoded("f", A), b"no json"),
        (encoded("f", A), b"[" * 100_000),
    ],
)
def test_nothing_but_results_is_put_in(template: bytes, data: bytes) -> None:
    assert not is_filled(template, data)
