"""What the fields of a job must agree on. Each rule tells what is wrong, and the mend."""

import re
from collections.abc import Iterator
from typing import Any

from jober.errors import DefinitionError
from jober.ids import JOB_NAME, check_job_name
from jober.job.draft import SCHEDULE_PARTS, WHAT_FIELDS, WHEN_FIELDS, Draft, Rule, null_character
from jober.job.end_rules import END_RULES
from jober.job.notify_rules import NOTIFY_RULES
from jober.job.payload import Kind, as_arguments, split_command, split_script
from jober.job.problems import told
from jober.job.process_rules import PROCESS_RULES
from jober.job.service_rules import SERVICE_RULES
from jober.job.workflow_rules import WORKFLOW_RULES
from jober.roles import parse_roles

_OPTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MODULE = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")


def broken_rules(draft: Draft) -> Iterator[DefinitionError]:
    """Every rule that the draft breaks; that of its schedule is another room's."""
    for rule in _RULES:
        try:
            yield from rule(draft) or ()
        except DefinitionError as error:
            yield error


def check_arguments(kind: Kind, args: list[Any], kwargs: dict[str, Any]) -> None:
    """That the arguments, JSON values already, can be given to what runs."""
    if kind.is_call:
        return
    for name in kwargs:
        if not _OPTION.fullmatch(name):
            raise DefinitionError(
                f"{told(name)} cannot be the name of an option",
                field="kwargs",
                value=name,
                mend="letters, digits, '_' and '-': count = 2 becomes --count 2",
            )
    for field, arguments in (
        ("args", as_arguments(args, {})),
        ("kwargs", as_arguments([], kwargs)),
    ):
        if any("\0" in argument for argument in arguments):
            raise null_character(field)


def _name(draft: Draft) -> None:
    if "name" in draft.good:
        check_job_name(draft.good["name"])


def _one_executable(draft: Draft) -> Iterator[DefinitionError]:
    what = [name for name in WHAT_FIELDS if name in draft.given]
    if not what:
        yield DefinitionError(
            "there is nothing to run", mend="give it one of command, call, module or script"
        )
    if len(what) > 1:
        yield DefinitionError(
            f"{' and '.join(what)} are given, and a job runs one thing",
            field=what[1],
            value=draft.good.get(what[1]),
            mend="keep one of them",
        )
    if draft.good.get("shell") and "command" not in draft.given:
        yield DefinitionError(
            "a shell runs a command, and none is given",
            field="shell",
            value=True,
            mend="drop shell, or give command as text",
        )


def _command(draft: Draft) -> Iterator[DefinitionError]:
    if "command" not in draft.good:
        return
    command = draft.good["command"]
    shell = draft.good.get("shell", False)
    problem = mend = None
    if isinstance(command, list) and shell:
        problem, mend = "a shell takes text, not a list", "write it as one text, or drop shell"
    elif not command or (isinstance(command, str) and not command.strip()):
        problem, mend = "it is empty", 'command = "df -h"'
    elif "\0" in "".join(command):
        yield null_character("command")
    elif not shell:
        try:
            words = split_command(command)
        except ValueError as error:
            words = [""]
            problem = f"{told(command)} cannot be split: {str(error).lower()}"
            mend = 'mend the quotes, or give a list: command = ["df", "-h"]'
        if not problem and (not words or not words[0]):
            problem, mend = f"{told(command)} names no program", 'command = "df -h"'
    if problem:
        yield DefinitionError(problem, field="command", value=command, mend=mend)


def _callable(draft: Draft) -> Iterator[DefinitionError]:
    for field in ("call", "cleanup"):
        call = draft.good.get(field, "module:function")
        module, colon, function = call.partition(":")
        if not (colon and _is_dotted(module) and _is_dotted(function)):
            mend = f'{field} = "pkg.mod:func"'
            if not colon and _is_dotted(call) and "." in call:
                mend = '{} = "{}:{}"'.format(field, *call.rsplit(".", 1))
            yield DefinitionError(
                f"{told(call)} is not a module and a function of it",
                field=field,
                value=call,
                mend=mend,
            )
    if "module" in draft.good:
        module = draft.good["module"]
        if not _MODULE.fullmatch(module):
            mend = 'module = "pkg.mod"'
            if ":" in module:
                mend += f"; a function of it is called by call = {told(module)}"
            yield DefinitionError(
                f"{told(module)} is not the name of a module",
                field="module",
                value=module,
                mend=mend,
            )
    if "script" in draft.good:
        script = draft.good["script"]
        path, _ = split_script(script)
        if "\0" in script:
            yield null_character("script")
        elif not path.endswith(".py") or path.endswith("/.py") or path == ".py":
            yield DefinitionError(
                f"{told(script)} is not the path of a Python file",
                field="script",
                value=script,
                mend='script = "./x.py" or "./x.py:func"; other programs are run by command',
            )


def _arguments(draft: Draft) -> None:
    if draft.kind is not None:
        check_arguments(draft.kind, draft.good.get("args", []), draft.good.get("kwargs", {}))


def _roles(draft: Draft) -> None:
    if "roles" in draft.good:
        parse_roles(draft.good["roles"])


def _prefer(draft: Draft) -> Iterator[DefinitionError]:
    prefer = draft.good.get("prefer", "least")
    if prefer != "least" and draft.good.get("on") == "every":
        yield DefinitionError(
            f"{told(prefer)} chooses among the hosts, and on = 'every' takes each of them",
            field="prefer",
            value=prefer,
            mend="on = 3, or drop prefer",
        )


def _schedule_words(draft: Draft) -> Iterator[DefinitionError]:
    when = [name for name in WHEN_FIELDS if name in draft.given]
    if len(when) > 1:
        yield DefinitionError(
            f"{' and '.join(when)} are given, and a job has one schedule",
            field=when[1],
            value=draft.good.get(when[1]),
            mend="keep one of them, or make two jobs",
        )
    if "at" in draft.given and "every" not in draft.given:
        yield DefinitionError(
            f"{told(draft.good.get('at'))} is a part of every, which is not given",
            field="at",
            value=draft.good.get("at"),
            mend='every = [1, "day"] beside at, or drop at',
        )
    for field in (*SCHEDULE_PARTS[1:], "max_fires"):
        if not when and draft.good.get(field) and (field, draft.good[field]) != ("shift", "skip"):
            yield DefinitionError(
                f"{told(draft.good[field])} is a part of a schedule, which is not given",
                field=field,
                value=draft.good[field],
                mend=f"give one of {', '.join(WHEN_FIELDS)}, or drop {field}",
            )


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _limits(draft: Draft) -> Iterator[DefinitionError]:
    names = draft.good.get("limits", [])
    for name in names:
        if not JOB_NAME.fullmatch(name):
            yield DefinitionError(
                f"{told(name)} is not the name of a limit",
                field="limits",
                value=name,
                mend="letters, digits, '-' and '_', a letter or digit first, at most 100",
            )
    if len(set(names)) < len(names):
        yield DefinitionError(
            "a limit is named twice", field="limits", value=names, mend="name each once"
        )


_RULES: tuple[Rule, ...] = (
    _name,
    _one_executable,
    _command,
    _callable,
    _arguments,
    _roles,
    _limits,
    _prefer,
    *PROCESS_RULES,
    *END_RULES,
    *SERVICE_RULES,
    *NOTIFY_RULES,
    *WORKFLOW_RULES,
    _schedule_words,
)
