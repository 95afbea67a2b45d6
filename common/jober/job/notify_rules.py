"""What a job says of whom to tell must be whole."""

from collections.abc import Callable, Iterator

from jober.errors import DefinitionError
from jober.job.draft import Draft
from jober.notify import Notify


def _notify(draft: Draft) -> Iterator[DefinitionError]:
    for number, table in enumerate(draft.good.get("notify", ())):
        try:
            Notify.read(table, f"notify[{number}]")
        except DefinitionError as error:
            yield error


NOTIFY_RULES: tuple[Callable[[Draft], Iterator[DefinitionError]], ...] = (_notify,)
