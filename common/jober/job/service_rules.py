"""What goes with a service, and what cannot."""

from collections.abc import Iterator

from pydantic import BaseModel

from jober.errors import DefinitionError
from jober.job.draft import WHEN_FIELDS, Draft, Rule
from jober.job.fields.ends import EndFields
from jober.job.fields.keep import KeepFields
from jober.job.fields.service import ServiceFields
from jober.job.fields.when import WhenFields
from jober.job.fields.where import WhereFields
from jober.job.problems import told

_ONLY_OF_SERVICES = tuple(field for field in ServiceFields.model_fields if field != "service")

# What a service has no use for: its rooms, and why.
_REFUSED: tuple[tuple[type[BaseModel], tuple[str, ...], str], ...] = (
    (
        WhereFields,
        ("concurrency", "overlap", "catch_up", "catch_up_limit", "catch_up_window"),
        "it runs once on its host, and has no fires",
    ),
    (WhenFields, ("max_fires",), "it has no fires"),
    (KeepFields, ("volatile",), "it is never over"),
    (
        EndFields,
        ("retries", "retry_delay", "retry_backoff", "retry_max_delay", "retry_on", "expires"),
        "it is started anew whatever its end was",
    ),
)


def _service(draft: Draft) -> Iterator[DefinitionError]:
    if "service" in draft.given - draft.good.keys():
        return
    if not draft.good.get("service"):
        for field in _ONLY_OF_SERVICES:
            if draft.sets(field, ServiceFields):
                yield DefinitionError(
                    f"{told(draft.good[field])} is of no use: the job is no service",
                    field=field,
                    value=draft.good[field],
                    mend=f"set service = true beside it, or drop {field}",
                )
        return
    for field in WHEN_FIELDS:
        if field in draft.given:
            yield DefinitionError(
                "a service runs always, and has no schedule",
                field=field,
                value=draft.good.get(field),
                mend=f"drop {field}, or drop service",
            )
    for room, fields, reason in _REFUSED:
        for field in fields:
            if draft.sets(field, room):
                yield DefinitionError(
                    f"{told(draft.good[field])} is of no use to a service: {reason}",
                    field=field,
                    value=draft.good[field],
                    mend=f"drop {field}, or drop service",
                )
    if isinstance(draft.good.get("on"), int):
        yield DefinitionError(
            f"a service runs on any one host or on every one, and not on {told(draft.good['on'])}",
            field="on",
            value=draft.good["on"],
            mend="use 'any' or 'every', with a role of its own for those hosts",
        )
    if draft.kind is not None and draft.kind.is_call and not draft.good.get("process"):
        yield DefinitionError(
            "a service must be one that can be stopped, and a function runs in a thread, which "
            "cannot",
            field="service",
            value=True,
            mend="set process = true beside service",
        )
    delay = draft.good.get("restart_delay", 1)
    longest = draft.good.get("restart_max_delay", 60)
    if delay > longest:
        yield DefinitionError(
            f"{told(delay)} is more than restart_max_delay, {told(longest)}",
            field="restart_delay",
            value=delay,
            mend=f"restart_max_delay = {told(delay)}, or a shorter restart_delay",
        )


SERVICE_RULES: tuple[Rule, ...] = (_service,)
