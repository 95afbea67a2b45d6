"""Arguments as a form gives them: JSON."""

import json
from collections.abc import Mapping
from typing import Any

from jober.errors import DefinitionError


def changed_arguments(given: Mapping[str, str], now: Mapping[str, Any]) -> dict[str, Any]:
    """Of the fields that are not empty the values that are others than those `now`. Raises
    DefinitionError."""
    told: dict[str, Any] = {}
    for field, text in given.items():
        if text.strip() and (value := _json(text, field)) != now.get(field):
            told[field] = value
    return told


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DefinitionError(
            "it is no JSON", field=field, value=text[:60], mend='as [1, "two"] or {"day": 1}'
        ) from None
