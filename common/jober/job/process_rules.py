"""What the process of a run may be given, and what a function in a thread cannot have."""

import re
from collections.abc import Iterator

from jober.errors import DefinitionError
from jober.job.draft import Draft, Rule, null_character
from jober.job.fields.how import HowFields
from jober.job.memory import memory_bytes
from jober.job.problems import told
from jober.secret import EXAMPLES, read_reference

_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?")
_UMASK = re.compile(r"[0-7]{1,4}")

# What a thread lacks, by the fields that would need it.
_LACKS = {
    "timeout": "cannot be stopped",
    "cwd": "has no directory of its own",
    "env": "has no environment of its own",
    "env_file": "has no environment of its own",
    "user": "is the agent's own user",
    "group": "is of the agent's own group",
    "umask": "has no umask of its own",
    "nice": "has no niceness of its own",
    "memory": "shares the agent's memory",
    "cpus": "shares the agent's processors",
    "cpu_time": "cannot be stopped",
    "stderr": "writes to two streams",
}


def _thread(draft: Draft) -> Iterator[DefinitionError]:
    """A thread has no directory and environment of its own, and cannot be stopped."""
    kind, process = draft.kind, draft.good.get("process", False)
    if kind is None or "process" in draft.given - draft.good.keys():
        return
    if process and not kind.is_call:
        yield DefinitionError(
            f"a {kind} runs in a process of its own anyhow",
            field="process",
            value=True,
            mend="drop process; it is for call and for script with a function",
        )
    if kind.is_call and not process:
        for field, lack in _LACKS.items():
            if draft.sets(field, HowFields):
                value = draft.good[field]
                shown = "it" if field == "env" else told(value)  # an environment may hold secrets
                yield DefinitionError(
                    f"{shown} cannot be had: a function runs in a thread, which {lack}",
                    field=field,
                    value=value,
                    mend=f"set process = true beside {field}, or drop {field}",
                )
    if not process and draft.sets("max_runs_per_process", HowFields):
        yield DefinitionError(
            f"{told(draft.good['max_runs_per_process'])} is of no use: only the processes of "
            "functions serve several runs",
            field="max_runs_per_process",
            value=draft.good["max_runs_per_process"],
            mend="set process = true beside it, or drop max_runs_per_process",
        )
    if not kind.is_call and draft.sets("locals", HowFields):
        yield DefinitionError(
            f"a {kind} writes its own traceback, which shows no locals",
            field="locals",
            value=True,
            mend="drop locals; it is for call and for script with a function",
        )


def _surroundings(draft: Draft) -> Iterator[DefinitionError]:
    for field, mend in (("cwd", "name a directory"), ("env_file", "name a file")):
        value = draft.good.get(field)
        if value == "":
            yield DefinitionError("it is empty", field=field, value=value, mend=mend)
        if value and "\0" in value:
            yield null_character(field)
    for name, value in draft.good.get("env", {}).items():
        if not _names_a_variable(name):
            yield DefinitionError(
                f"{told(name)} cannot be the name of a variable",
                field="env",
                value=name,
                mend='env = { LANG = "C" }',
            )
        elif "\0" in value:
            yield null_character("env")
        else:
            yield from _reference(name, value)


def _reference(name: str, value: str) -> Iterator[DefinitionError]:
    try:
        read_reference(value)
    except ValueError as error:
        yield DefinitionError(
            f"{told(name)} names no secret: {error}", field="env", value=value, mend=EXAMPLES
        )


def _secret(draft: Draft) -> Iterator[DefinitionError]:
    """What is to be masked must be there; what a file holds is known on the host alone."""
    if "env" in draft.given - draft.good.keys() or "env_file" in draft.given:
        return
    known = draft.good.get("env", {})
    for name in draft.good.get("secret", []):
        if name not in known:
            yield DefinitionError(
                f"{told(name)} is no variable of env, and there is no env_file",
                field="secret",
                value=name,
                mend="name a variable of env, or give the env_file that has it",
            )


def _account(draft: Draft) -> Iterator[DefinitionError]:
    for field in ("user", "group"):
        value = draft.good.get(field)
        if value is not None and not _ACCOUNT.fullmatch(value):
            yield DefinitionError(
                f"{told(value)} cannot be the name of a {field}",
                field=field,
                value=value,
                mend=f'{field} = "backup", or its number as text',
            )
    umask = draft.good.get("umask")
    if umask is not None and not (_UMASK.fullmatch(umask) and int(umask, 8) <= 0o777):
        yield DefinitionError(
            f"{told(umask)} is not an octal number from 000 to 777",
            field="umask",
            value=umask,
            mend='umask = "027"',
        )


def _memory(draft: Draft) -> None:
    if "memory" in draft.good:
        memory_bytes(draft.good["memory"])


def _names_a_variable(name: str) -> bool:
    return bool(name) and "=" not in name and "\0" not in name


PROCESS_RULES: tuple[Rule, ...] = (
    _thread,
    _surroundings,
    _secret,
    _account,
    _memory,
)
