"""What a cleanup is called with: what is known of the run that was deleted. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from jober.job.payload import COMMAND, MODULE, SCRIPT, SCRIPT_CALL, SHELL


def deleted_run(facts: Mapping[str, str]) -> dict[str, Any]:
    """Of the fields of its record: `run` is its id, `args` and `kwargs` what a function was called
    with (`args` of a program is its command line), `folder` the one that it ran in, where the job
    names one. Raises ValueError, LookupError, TypeError, AttributeError."""
    args, kwargs = _arguments(*json.loads(facts["data"]))
    exit_code = facts.get("exit_code")
    return {
        "run": facts["run"],
        "job": facts["job"],
        "state": facts["state"],
        "host": facts.get("host"),
        "args": args,
        "kwargs": kwargs,
        "result": json.loads(facts.get("return_value") or "null"),
        "exit_code": int(exit_code) if exit_code else None,
        "reason": facts.get("reason") or None,
        "folder": json.loads(facts.get("options") or "{}").get("cwd"),
        "fire_at": facts.get("fire_at") or None,
        "started_at": facts.get("started_at") or None,
        "ended_at": facts.get("ended_at") or None,
    }


def _arguments(
    name: str, _: None, args: list[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    match name:
        case _ if name == SCRIPT_CALL:
            return args[1], args[2]
        case _ if name == COMMAND:
            return args[0], {}
        case _ if name == SHELL:
            return args, {}
        case _ if name in (MODULE, SCRIPT):
            return [args[0], *args[1]], {}
    return args, kwargs
