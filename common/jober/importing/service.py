"""What a systemd service runs, as the fields of a job: command, cwd, env, timeout, grace, the exit
statuses that are a success, and what its process is given (`process`).

A setting is taken over exactly, or refused where it changes what runs or what counts as success
(`_REFUSED`), or passed over where it means nothing to a job (`_SILENT`), or told and left out:
limits and protection of the process, which the agent's own unit may give to all of its runs.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jober.errors import DefinitionError
from jober.importing.exec_line import (
    ExecCommand,
    as_argv,
    as_shell,
    read_exec,
    split_words,
    variables,
    with_specifiers,
)
from jober.importing.process import PROCESS_SETTINGS, process_fields
from jober.importing.timespan import read_span, seconds_of
from jober.importing.told import TRUE, Told, is_true
from jober.importing.unit import Setting, Unit

_REFUSED = {
    "ExecCondition": "a job has no condition: put it into the command",
    "ExecStop": "nothing runs after a run: put it into the command",
    "ExecStopPost": "nothing runs after a run: put it into the command",
    "RootDirectory": "a run sees the root of its agent",
    "RootImage": "a run sees the root of its agent",
    "UnsetEnvironment": "a run has the environment of its agent, and env on top",
    "StandardInput": "a run has no standard input: put it into the command",
    "KillSignal": "a run is stopped by TERM, then KILL",
    "SendSIGKILL": "a run is stopped by TERM, then KILL",
    "KillMode": "all processes of a run are stopped",
}
_MEANINGLESS_VALUES = {
    "KillSignal": ("SIGTERM", "15"),
    "SendSIGKILL": tuple(TRUE),
    "KillMode": ("control-group",),
    "StandardInput": ("null",),
}
_TAKEN = PROCESS_SETTINGS | frozenset(
    "Type RemainAfterExit Restart ExecStart ExecStartPre ExecStartPost WorkingDirectory "
    "Environment PassEnvironment TimeoutStartSec TimeoutSec TimeoutStopSec "
    "RuntimeMaxSec SuccessExitStatus".split()
)
_SILENT = frozenset(
    "ExecReload StandardOutput StandardError SyslogIdentifier SyslogLevel SyslogFacility "
    "SyslogLevelPrefix RestartSec RestartPreventExitStatus WatchdogSec NotifyAccess PIDFile "
    "BusName GuessMainPID TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode "
    "LogLevelMax LogRateLimitIntervalSec LogRateLimitBurst FinalKillSignal SendSIGHUP".split()
)


def service_fields(unit: Unit, name: str, told: Told, *, of_user: bool) -> dict[str, Any]:
    """The fields of the job that a service is; what is wrong, or is left out, is in `told`.

    `name` is the service's, `nightly@db.service` where `unit` is the template of it.
    """
    kind = unit.last("Service", "Type")
    oneshot = kind is not None and kind.value == "oneshot"
    _check_kind(unit, kind, told)
    specifiers = _specifiers(name)
    env = _environment(unit, told, specifiers)
    fields = _command(unit, told, specifiers, env, oneshot=oneshot)
    directory = unit.last("Service", "WorkingDirectory")
    if directory is not None:
        cwd = told.reading(directory, with_specifiers, directory.value, specifiers)
        if cwd is not None and not cwd.startswith("/"):
            told.refuse(directory, "only a path from / is the same on each host", "write it out")
        fields["cwd"] = cwd
    elif not of_user:
        fields["cwd"] = "/"
    if env:
        fields["env"] = env
    commands = len(_exec_settings(unit, oneshot))
    fields |= _limits(unit, told, oneshot=oneshot, commands=commands)
    fields |= _exit_codes(unit, told, commands)
    fields |= process_fields(unit, told, specifiers, has_env=bool(env))
    _tell_others(unit, told)
    return fields


def _specifiers(name: str) -> dict[str, str]:
    stem = name.rpartition(".")[0]
    prefix, _, instance = stem.partition("@")
    known = {"n": name, "N": stem, "p": prefix, "i": instance}
    # Unescaped: / for -, and what \x2d and its kin stand for.
    return known if "-" in instance or "\\" in instance else {**known, "I": instance}


def _check_kind(unit: Unit, kind: Setting | None, told: Told) -> None:
    if kind is not None and kind.value == "forking":
        told.refuse(kind, "a run ends with its first process, and takes the others along")
    remains = unit.last("Service", "RemainAfterExit")
    if remains is not None and is_true(remains, told):
        told.refuse(remains, "the timer would start it once, and never again")
    restart = unit.last("Service", "Restart")
    if restart is not None and restart.value != "no":
        told.refuse(restart, "when a run fails it is not clear what becomes of the next fires")


def _environment(unit: Unit, told: Told, specifiers: Mapping[str, str]) -> dict[str, str]:
    env: dict[str, str] = {}
    for setting in unit.all("Service", "Environment"):
        for word in told.reading(setting, split_words, setting.value) or ():
            name, equals, text = word.partition("=")
            if not equals or not name:
                told.refuse(setting, f"'{word}' sets no variable", "as NAME=value")
                continue
            value = told.reading(setting, with_specifiers, text, specifiers)
            env[name] = value or ""
    for setting in unit.all("Service", "PassEnvironment"):
        told.leave_out(setting, "a run has the whole environment of its agent")
    return env


def _exec_settings(unit: Unit, oneshot: bool) -> list[Setting]:
    keys = ("ExecStartPre", "ExecStart", "ExecStartPost")
    found: list[Setting] = []
    for key in keys if oneshot else keys[:2]:
        found += unit.all("Service", key)
    return found


def _command(
    unit: Unit, told: Told, specifiers: Mapping[str, str], env: Mapping[str, str], *, oneshot: bool
) -> dict[str, Any]:
    """`command`, and `shell` where there are several, or what only a shell can say."""
    starts = unit.all("Service", "ExecStart")
    if not starts:
        told.problems.append(
            DefinitionError("there is no ExecStart", file=unit.path, mend="name what runs")
        )
    if not oneshot:
        for after in unit.all("Service", "ExecStartPost"):
            told.refuse(after, "it runs beside the main process, which a job has no place for")
    runtime = bool(unit.all("Service", "EnvironmentFile"))
    commands: list[ExecCommand] = []
    for setting in _exec_settings(unit, oneshot):
        read = told.reading(setting, read_exec, setting.value, specifiers) or []
        for command in read:
            missing = told.reading(setting, variables, command) or set()
            unknown = sorted(missing - env.keys())
            if unknown and not runtime:
                told.refuse(
                    setting, f"${unknown[0]} is set by no Environment=", "set it, or write it out"
                )
            else:
                told.reading(setting, as_shell, command, env)
                commands.append(command)
    if not oneshot and len(unit.all("Service", "ExecStart")) > 1:
        told.refuse(starts[1], "only Type=oneshot may run several")
    if told.problems or not commands:
        return {}
    argv = as_argv(commands[0], env)
    if len(commands) == 1 and argv is not None and not commands[0].may_fail:
        return {"command": shlex.join(argv)}
    return {"command": " && ".join(_parts(commands, env)), "shell": True}


def _parts(commands: Sequence[ExecCommand], env: Mapping[str, str]) -> Iterator[str]:
    for command in commands:
        text = as_shell(command, env)
        yield f"{{ {text} || :; }}" if command.may_fail else text


def _limits(unit: Unit, told: Told, *, oneshot: bool, commands: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    start = _latest(unit, "TimeoutStartSec", "TimeoutSec") if oneshot else None
    if start is not None and commands > 1 and _span(start, told):
        told.refuse(
            start,
            f"it holds for each of {commands} commands, and the timeout of a job for all",
            "take it out, and set timeout in the jobs file",
        )
    limit = start if oneshot else unit.last("Service", "RuntimeMaxSec")
    span = None if limit is None else _span(limit, told)
    if span:
        fields["timeout"] = seconds_of(span)
    stop = _latest(unit, "TimeoutStopSec", "TimeoutSec")
    if stop is not None:
        span = _span(stop, told)
        if span is None:
            told.refuse(stop, "a run that does not end is killed at some time", "as 5min")
        else:
            fields["grace"] = seconds_of(span)
    return fields


def _exit_codes(unit: Unit, told: Told, commands: int) -> dict[str, Any]:
    """Which exit statuses are a success, beside 0."""
    settings = unit.all("Service", "SuccessExitStatus")
    codes = {0}
    for setting in settings:
        words = setting.value.split()
        if commands > 1:
            told.refuse(
                setting,
                f"it holds for each of {commands} commands, of which a job sees the last alone",
                "say so in the command",
            )
        elif not all(word.isascii() and word.isdigit() and int(word) <= 255 for word in words):
            told.refuse(setting, "only exit statuses can be told, as numbers from 0 to 255")
        else:
            codes |= set(map(int, words))
    return {"ok_exit_codes": sorted(codes)} if codes != {0} else {}


def _latest(unit: Unit, *keys: str) -> Setting | None:
    found = [one for one in unit.settings if one.section == "Service" and one.key in keys]
    return found[-1] if found and found[-1].value else None


def _span(setting: Setting, told: Told) -> int | None:
    return told.reading(setting, read_span, setting.value)


def _tell_others(unit: Unit, told: Told) -> None:
    for setting in unit.settings:
        if setting.section == "Unit" and setting.key.startswith(("Condition", "Assert")):
            if setting.value:
                told.refuse(setting, "a job has no condition", "put it into the command")
            continue
        if setting.section == "Unit" and setting.key in ("OnFailure", "OnSuccess"):
            told.leave_out(setting, "other units are not started")
        if setting.section != "Service" or setting.key in _TAKEN | _SILENT or not setting.value:
            continue
        if setting.value in _MEANINGLESS_VALUES.get(setting.key, ()):
            continue
        if setting.key in _REFUSED:
            told.refuse(setting, _REFUSED[setting.key])
        elif not setting.key.startswith("X-"):
            told.leave_out(setting, "not taken over; the agent's own unit may set it")
