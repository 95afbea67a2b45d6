"""All that a host runs by itself, as one jobs file.

Each job is for that host alone, by a role of its name. The role begins with a dot: an agent
has it where it is given by name, and by no `--roles '*'`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jober.errors import DefinitionError
from jober.importing import Imported, ImportedJob, Remark
from jober.importing.header import ZONE_UNKNOWN, ZONE_WARNING
from jober.importing.imported import shared_env, without_env
from jober.importing.names import Names, slug
from jober.roles import parse_roles
from jober.schedule.zone import zone
from jober.takeover.crontabs import read_crontabs
from jober.takeover.root import Root
from jober.takeover.timers import read_timers


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeoverOptions:
    """How to read a host. What is None is told by the host itself: its name, its zone, the role
    of that name, and a prefix of that name for the jobs. `every`: timers that are not enabled
    too."""

    host: str | None = None
    timezone: str | None = None
    roles: tuple[str, ...] | None = None
    prefix: str | None = None
    every: bool = False


def read_host(root: Root, options: TakeoverOptions) -> Imported:
    """The jobs of a host. DefinitionError for options; what cannot be taken over is in
    `problems` and `left_out`."""
    host = options.host or root.hostname
    if host is None:
        raise DefinitionError(
            "nothing tells the name of this host",
            file=f"{root.path}/etc/hostname",
            mend="name it with --host",
        )
    timezone = root.timezone if options.timezone is None else zone(options.timezone).name
    roles = (f".{host}",) if options.roles is None else options.roles
    parse_roles(roles)
    names = Names(f"{slug(host)}-" if options.prefix is None else options.prefix)
    found = [
        *read_crontabs(root, timezone),
        read_timers(root, timezone, every=options.every),
    ]
    imported = _joined([one for one in found if one.jobs], names)
    others = [part for one in found if not one.jobs for part in one.parts]
    warnings = [told for one in found for told in one.warnings if ZONE_WARNING not in told]
    left_out = tuple(told for one in found for told in one.left_out)
    return replace(
        imported,
        header=tuple(_header(host, roles, timezone, left_out)),
        defaults={
            "timezone": (timezone or "UTC", "the host's" if timezone else "not known: see above"),
            "roles": (list(roles), "this host"),
            **imported.defaults,
        },
        parts=(*imported.parts, *others),
        problems=tuple(problem for one in found for problem in one.problems),
        warnings=(*warnings, *(() if timezone else (ZONE_WARNING,))),
        left_out=left_out,
    )


def _joined(found: Sequence[Imported], names: Names) -> Imported:
    """Several as one: what all of them have for a default stays one, the rest is the jobs' own."""
    plain = [{field: value for field, (value, _) in one.defaults.items()} for one in found]
    shared = {
        field: told
        for field, told in (found[0].defaults if found else {}).items()
        if field != "env" and all(each.get(field) == told[0] for each in plain)
    }
    parts: list[ImportedJob | Remark] = []
    for one, defaults in zip(found, plain, strict=True):
        own = {field: value for field, value in defaults.items() if field not in shared}
        for part in one.parts:
            parts.append(
                replace(
                    part,
                    name=names.take([part.name]),
                    fields=_with_defaults(own, part.fields),
                    remarks=_placed(part),
                )
                if isinstance(part, ImportedJob)
                else part
            )
    env = shared_env([part for part in parts if isinstance(part, ImportedJob)])
    return Imported(
        header=(),
        defaults={**shared, **({"env": (env, "")} if env else {})},
        parts=tuple(
            without_env(part, env) if isinstance(part, ImportedJob) else part for part in parts
        ),
    )


def _with_defaults(defaults: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    env = {**defaults.get("env", {}), **fields.get("env", {})}
    return {**fields, **{f: v for f, v in defaults.items() if f not in fields}} | (
        {"env": env} if env else {}
    )


def _placed(job: ImportedJob) -> tuple[str, ...]:
    place = str(job.origin)
    return job.remarks if place in job.remarks else (place, *job.remarks)


def _header(
    host: str, roles: Sequence[str], timezone: str | None, left_out: Sequence[str]
) -> list[str]:
    lines = [
        f"The jobs of the host {host}, as `jober takeover` reads its crontabs and timers.",
        "Nothing is switched by this file alone. Look it over; then compare it with what the host",
        "does by itself: jober takeover shadow FILE.",
        "",
        f"- Each runs on the agent with the role {' or '.join(roles)}, which is to be root:",
        f"  jober-worker --roles {','.join(roles)}",
    ]
    lines += (
        ZONE_UNKNOWN
        if timezone is None
        else [f"- Times are in {timezone}, where nothing else was said."]
    )
    lines += [
        "- A crontab's job starts in the home of its user, with cron's PATH; output is kept with",
        "  each run (jober logs), and no mail is sent: where a job has a tag mailto:ADDRESS, say",
        '  notify = [{ on = ["failure"], mail = ["ADDRESS"] }].',
    ]
    if left_out:
        lines += ["", "Not taken over:", *(f"- {told}" for told in left_out)]
    return lines
