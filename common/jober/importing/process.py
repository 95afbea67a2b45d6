"""What a systemd service gives to its process, as the fields of a job: user, group, umask, nice,
memory, cpus, env_file.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from jober.importing.exec_line import with_specifiers
from jober.importing.told import Told, is_true
from jober.importing.unit import Setting, Unit

PROCESS_SETTINGS = frozenset(
    "User Group DynamicUser UMask Nice MemoryMax CPUQuota EnvironmentFile".split()
)

_MEMORY = re.compile(r"\d+(?:\.\d+)?[KMGT]?")
_PER_CENT = re.compile(r"(\d+(?:\.\d+)?)%")
_UMASK = re.compile(r"0?[0-7]{1,3}")


def process_fields(
    unit: Unit, told: Told, specifiers: Mapping[str, str], *, has_env: bool
) -> dict[str, Any]:
    """The fields; what is wrong, or is left out, is in `told`. `has_env`: the job has an `env`."""
    fields = _account(unit, told, specifiers)
    readers: dict[str, tuple[str, Callable[[Setting, Told], Any]]] = {
        "UMask": ("umask", _umask),
        "Nice": ("nice", _nice),
        "MemoryMax": ("memory", _memory),
        "CPUQuota": ("cpus", _cpus),
    }
    for key, (field, read) in readers.items():
        setting = unit.last("Service", key)
        value = None if setting is None else read(setting, told)
        if value is not None:
            fields[field] = value
    return fields | _env_file(unit, told, specifiers, has_env=has_env)


def _account(unit: Unit, told: Told, specifiers: Mapping[str, str]) -> dict[str, Any]:
    dynamic = unit.last("Service", "DynamicUser")
    made = dynamic is not None and is_true(dynamic, told)
    if dynamic is not None and made:
        told.leave_out(dynamic, "systemd makes a user for the run; a job has one that is there")
    found: dict[str, Any] = {}
    for key in ("User", "Group"):
        setting = unit.last("Service", key)
        if setting is not None and not made:
            name = told.reading(setting, with_specifiers, setting.value, specifiers)
            if name:
                found[key.lower()] = name
    return found


def _umask(setting: Setting, told: Told) -> str | None:
    if _UMASK.fullmatch(setting.value):
        return setting.value
    told.refuse(setting, "it is not an octal number from 000 to 777")
    return None


def _nice(setting: Setting, told: Told) -> int | None:
    try:
        return int(setting.value)
    except ValueError:
        told.refuse(setting, "it is not a number from -20 to 19")
        return None


def _memory(setting: Setting, told: Told) -> str | None:
    if setting.value == "infinity":
        return None
    if _PER_CENT.fullmatch(setting.value):
        told.leave_out(setting, "a share is another amount on each host: set memory")
        return None
    if not _MEMORY.fullmatch(setting.value):
        told.refuse(setting, "it is not an amount of memory", "as 512M")
        return None
    return setting.value


def _cpus(setting: Setting, told: Told) -> float | int | None:
    share = _PER_CENT.fullmatch(setting.value)
    if share is None or float(share[1]) == 0:
        told.refuse(setting, "it is not a share of a processor", "as 50%")
        return None
    cpus = float(share[1]) / 100
    return int(cpus) if cpus.is_integer() else cpus


def _env_file(
    unit: Unit, told: Told, specifiers: Mapping[str, str], *, has_env: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for setting in unit.all("Service", "EnvironmentFile"):
        path = told.reading(setting, with_specifiers, setting.value.removeprefix("-"), specifiers)
        if path is None:
            continue
        if found:
            told.leave_out(setting, "a job has one env_file: put its lines into that")
        elif not path.startswith("/") or set("*?[") & set(path):
            told.leave_out(setting, "a job has one env_file, by its path from /: name it")
        else:
            found["env_file"] = path
            if setting.value.startswith("-"):
                told.leave_out(setting, "a run fails on a host where the file is missing")
            if has_env:
                told.leave_out(
                    setting, "what is in env too is taken from env; systemd takes it from the file"
                )
    return found
