"""Values that JSON can hold: what a definition, and the arguments of a run, are made of."""

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from jober.errors import DefinitionError
from jober.workflow import Result

DEPTH_AT_MOST = 32
SIZE_AT_MOST = 1 << 20
_INTEGER_BITS_AT_MOST = 1024


def json_value(value: object, field: str, *, dates: bool = False) -> Any:
    """A deep copy of `value` made of dicts, lists, text, numbers, booleans and None alone.

    Tuples become lists; with `dates`, dates and times become ISO text. Anything else that
    JSON cannot hold is a DefinitionError for `field`, as is what is too deep (a value that
    holds itself is), or larger than about a megabyte.
    """
    return _Copy(field, dates).of(value, field, 0)


class _Copy:
    """One walk over one value, with what it has cost so far."""

    def __init__(self, field: str, dates: bool) -> None:
        self.field = field
        self.dates = dates
        self.size = 0

    def of(self, value: object, where: str, depth: int) -> Any:
        self.spend(1)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value, where)
        if isinstance(value, Result):
            return value.as_json()
        if isinstance(value, int):
            if value.bit_length() > _INTEGER_BITS_AT_MOST:
                raise self.refusal(f"the number at {where} is too large", "write it as text")
            return int(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise self.refusal(f"{where} is {value}, which JSON cannot hold", "a finite number")
            return float(value)
        if isinstance(value, (datetime, date, time)) and self.dates:
            return value.isoformat()
        if depth >= DEPTH_AT_MOST:
            raise self.refusal(
                f"it is nested deeper than {DEPTH_AT_MOST} levels", "a flatter value"
            )
        if isinstance(value, Mapping):
            return {
                self.key(key, where): self.of(item, f"{where}.{key}", depth + 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.of(item, f"{where}[{n}]", depth + 1) for n, item in enumerate(value)]
        mend = "text, numbers, booleans, lists and tables"
        if isinstance(value, (datetime, date, time)):
            mend = f'write it as text: "{value.isoformat()}"'
        raise self.refusal(f"{where} is a {type(value).__name__}, which JSON cannot hold", mend)

    def text(self, value: str, where: str) -> str:
        self.spend(len(value))
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self.refusal(
                f"the text at {where} holds half a surrogate pair, which UTF-8 cannot hold",
                "whole characters",
            ) from None
        return str.__str__(value)

    def key(self, key: object, where: str) -> str:
        if not isinstance(key, str):
            raise self.refusal(
                f"a key of {where} is {type(key).__name__}, not text", "put it in quotes"
            )
        return self.text(key, where)

    def spend(self, cost: int) -> None:
        self.size += cost
        if self.size > SIZE_AT_MOST:
            raise self.refusal("it is larger than a megabyte", "store it elsewhere, and name where")

    def refusal(self, problem: str, mend: str) -> DefinitionError:
        # Without the value: it may be endless.
        return DefinitionError(problem, field=self.field, mend=mend)
