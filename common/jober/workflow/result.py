"""The result of another job among the arguments of one: `{"$result": "extract"}`, at any depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEY = "$result"


@dataclass(frozen=True, slots=True)
class Result:
    """What the needed run of `job` returned, as an argument: `args=[Result("extract")]`.

    Of a job that runs on several hosts it is a dict, the result of each by its host.
    """

    job: str

    def as_json(self) -> dict[str, str]:
        return {KEY: self.job}


def results_in(value: Any) -> Iterator[str]:
    """The jobs whose results stand in a JSON value. Raises ValueError, which says what is wrong,
    for a reference that is none."""
    if isinstance(value, list):
        for item in value:
            yield from results_in(item)
    elif isinstance(value, dict):
        if KEY in value:
            yield _named(value)
            return
        for item in value.values():
            yield from results_in(item)


def with_results(value: Any, results: Mapping[str, Any]) -> Any:
    """A copy of a JSON value with the result of each job in the place of its reference."""
    if isinstance(value, list):
        return [with_results(item, results) for item in value]
    if isinstance(value, dict):
        if KEY in value:
            return results[_named(value)]
        return {name: with_results(item, results) for name, item in value.items()}
    return value


def _named(reference: dict[str, Any]) -> str:
    job = reference[KEY]
    if len(reference) > 1 or not isinstance(job, str):
        raise ValueError(f'a result is {{"{KEY}": "the name of a job"}}, and nothing beside it')
    return job
