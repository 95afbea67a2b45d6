"""What a batch consists of: a list of tables, each a command with an id."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jober.errors import DefinitionError, did_you_mean
from jober.ids import JOB_NAME
from jober.job import Job, raise_any
from jober.job.problems import told, unknown_field
from jober.workflow import Graph, Links

# The fields of an item, and what they are called in the definition of a job.
_FIELDS = {
    "command": "command",
    "shell": "shell",
    "retry": "retries",
    "delay": "retry_delay",
    "backoff": "retry_backoff",
    "timeout": "timeout",
    "cwd": "cwd",
    "env": "env",
    "roles": "roles",
}
FIELDS = ("id", "waiting", *_FIELDS)
_OF_RETRIES = ("delay", "backoff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One command: `waiting` are the ids of those that have to succeed first; `job` says how it is
    run, as the definition of a job would."""

    id: str
    waiting: tuple[str, ...]
    job: Job


def read_items(value: object, file: str | None = None) -> tuple[Item, ...]:
    """The items of a list of tables; errors name `file`, where there is one.

    A DefinitionError names the item and its field; it is an InvalidDefinitions where more than one
    thing is wrong: an id that is unknown or stands twice, and a loop, among them.
    """
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise DefinitionError(
            f"{told(value)} is no list of commands",
            file=file,
            mend='[{"id": "a", "command": "make a"}, {"id": "b", …, "waiting": ["a"]}]',
        )
    items: list[Item] = []
    problems: list[DefinitionError] = []
    for place, one in enumerate(value, 1):
        try:
            items.append(_item(one, place))
        except DefinitionError as error:
            problems.append(error)
    if not problems:
        problems += _wrong_links(items)
    raise_any(problem.within(file=file) for problem in problems)
    return tuple(items)


def _item(value: object, place: int) -> Item:
    if not isinstance(value, Mapping):
        raise DefinitionError(
            f"the {place}. is {told(value)}, and no table", mend='{"id": "a", "command": "make a"}'
        )
    id = value.get("id")
    if not isinstance(id, str) or not JOB_NAME.fullmatch(id):
        raise DefinitionError(
            f"the {place}. has no id that is one: {told(id)}",
            field="id",
            value=id,
            mend="letters, digits, '-' and '_', a letter or digit first, at most 100",
        )
    for name in value:
        if name not in FIELDS:
            raise unknown_field(name, FIELDS).within(job=id)
    waiting = value.get("waiting") or []
    if not isinstance(waiting, list | tuple) or not all(isinstance(one, str) for one in waiting):
        raise DefinitionError(
            f"{told(waiting)} is no list of ids",
            job=id,
            field="waiting",
            value=waiting,
            mend='"waiting": ["a"]',
        )
    fields = {
        theirs: value[own]
        for own, theirs in _FIELDS.items()
        # What programs write in full says nothing where there are no retries.
        if value.get(own) is not None and (own not in _OF_RETRIES or value.get("retry"))
    }
    if "retry_delay" in fields and isinstance(fields["retry_delay"], int | float):
        fields["retry_max_delay"] = max(3600, fields["retry_delay"])
    try:
        return Item(id=id, waiting=tuple(dict.fromkeys(waiting)), job=Job(name=id, **fields))
    except DefinitionError as error:
        names = {theirs: own for own, theirs in _FIELDS.items()}
        if error.field in names:
            error.field = names[error.field]
        raise


def _wrong_links(items: Sequence[Item]) -> Iterator[DefinitionError]:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            yield DefinitionError(
                "its id stands twice", job=item.id, field="id", mend="give each its own"
            )
        seen.add(item.id)
    graph = Graph({item.id: Links(needs=item.waiting) for item in items})
    for one in graph.dangling():
        yield DefinitionError(
            f"no command has the id {told(one.name)}{did_you_mean(one.name, seen)}",
            job=one.job,
            field="waiting",
            value=one.name,
            mend="name one of the list",
        )
    loop = graph.loop()
    if loop:
        yield DefinitionError(
            f"a loop: {' → '.join(loop)}, each waits for the one before",
            job=loop[0],
            field="waiting",
            value=list(loop),
            mend="take one of them out",
        )
