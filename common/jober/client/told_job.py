"""The ways in which a program tells of a job: each is read into a name and the fields of one."""

from collections.abc import Callable, Mapping
from typing import Any

from jober.errors import DefinitionError

# What the dict form calls otherwise than a jobs file.
_FUNC = "func"
_RENAMED = {"concurrence_n": "concurrency"}

# The fields of a job that calls a function which only the process has.
LocalFields = Callable[[Callable[..., Any]], dict[str, Any]]


def read_call(
    what: object,
    conf: Mapping[str, Any] | None,
    name: str | None,
    fields: Mapping[str, Any],
    local_fields: LocalFields,
) -> tuple[str, dict[str, Any]]:
    """The name and the fields of what `Jober.add_job` was called with."""
    from jober.job import name_of
    from jober.job.draft import WHAT_FIELDS

    if conf is not None:
        if fields:
            raise DefinitionError(
                "conf holds all of a job, and there are other fields beside it",
                field=next(iter(fields)),
                mend="put them into conf",
            )
        own = _the_name(what, name)
        return own, read_conf(own, conf, local_fields)
    if any(field in fields for field in WHAT_FIELDS):
        return _the_name(what, name), dict(fields)
    if what is None:
        raise DefinitionError(
            "there is nothing to run", field="what", mend="add_job(function, …), or command=…"
        )
    told = _what(what, bool(fields.get("shell")), name, local_fields)
    own_name = name or name_of(what)
    if own_name is None:
        raise DefinitionError(
            "it has no name that a job may have", field="name", mend="give it one: name=…"
        )
    return own_name, _joined(told, fields)


def read_conf(name: str, conf: Mapping[str, Any], local_fields: LocalFields) -> dict[str, Any]:
    """The fields of a job in the dict form: `func`, what runs, is what `add_job` takes for it,
    `concurrence_n` how many at once; all else is as in a jobs file."""
    if not isinstance(conf, Mapping):
        raise DefinitionError(
            "it is no dict", job=name, field="conf", value=conf, mend='{"func": f, "every": 60}'
        )
    from jober.job import KNOWN_FIELDS, raise_any, unknown_field

    known = (*KNOWN_FIELDS, _FUNC, *_RENAMED)
    raise_any(unknown_field(key, known).within(job=name) for key in conf if key not in known)
    fields = {_RENAMED.get(str(field), field): value for field, value in conf.items()}
    if len(fields) < len(conf):
        raise DefinitionError(
            "it is given twice, as concurrency too",
            job=name,
            field="concurrence_n",
            mend="drop one",
        )
    if _FUNC not in fields:
        return fields
    func = fields.pop(_FUNC)
    return _joined(_what(func, bool(fields.get("shell")), name, local_fields), fields)


def _what(what: object, shell: bool, name: str | None, local_fields: LocalFields) -> dict[str, Any]:
    from jober.job import NotImportable, what_fields

    try:
        return what_fields(what, shell=shell)
    except NotImportable:
        assert callable(what), "nothing else is local"
        return local_fields(what)
    except DefinitionError as error:
        raise error.within(job=name) from None


def _joined(told: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """What runs, and all else. A function that only this process has runs here, whatever the
    roles."""
    here = {"roles": told["roles"]} if "roles" in told else {}
    return {**told, **fields, **here}


def _the_name(what: object, name: str | None) -> str:
    if what is not None and name is not None:
        raise DefinitionError(
            f"two names are given, {what!r:.60} and {name!r:.60}", field="name", mend="drop one"
        )
    told = name if what is None else what
    if not isinstance(told, str):
        raise DefinitionError(
            f"{told!r:.60} is not the name of a job",
            field="name",
            value=told,
            mend='name="nightly"',
        )
    return told
