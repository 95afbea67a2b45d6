"""What a job says of whom to tell must be whole."""

from collections.abc import Iterator

from jober.errors import DefinitionError
from jober.job.draft import Draft, Rule
from jober.notify import Notify


def _notify(draft: Draft) -> Iterator[DefinitionError]:
    for number, table in enumerate(draft.good.get("notify", ())):
        try:
            Notify.read(table, f"notify[{number}]")
        except DefinitionError as error:
            yield error


NOTIFY_RULES: tuple[Rule, ...] = (_notify,)
