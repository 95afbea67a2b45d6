"""The form of a definition: the fields that most jobs have, each as text, and the rest as JSON.

`filled` writes a definition into it, `read` reads it back; what is wrong is told at the field of
the form that it stands in.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError
from jober.job import each_of

WHATS = ("command", "shell", "call", "module", "script")
WHENS = ("cron", "every", "date", "hand")
OVERLAPS = ("skip", "queue", "queue-one", "cancel-old", "allow")
_WORDS = ("roles", "tags", "needs")
_NUMBERS = ("timeout", "retries", "concurrency")
_TEXTS = ("title", "timezone", "overlap", "notes")
_JSON = ("args", "kwargs")
# In which field of the form a field of the definition stands.
_PLACES = {
    **dict.fromkeys(("command", "shell", "call", "module", "script"), "what_value"),
    **dict.fromkeys(("cron", "every", "date"), "when_value"),
    **{name: name for name in (*_WORDS, *_NUMBERS, *_TEXTS, *_JSON, "on", "name")},
}
FIELDS = (
    *("name", "what", "what_value", "when", "when_value", "on", "more"),
    *(*_WORDS, *_NUMBERS, *_TEXTS, *_JSON),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a form says: the name and the fields of a definition; `wrong` what is no JSON and the
    like, by the field of the form."""

    name: str
    spec: Mapping[str, Any]
    wrong: Mapping[str, str]


def filled(name: str, spec: Mapping[str, Any]) -> dict[str, str]:
    """The form of a definition, each field as text."""
    rest = dict(spec)
    form = dict.fromkeys(FIELDS, "") | {"name": name, "what": "command", "when": "hand"}
    for what in ("command", "call", "module", "script"):
        if what in rest:
            form["what"] = "shell" if rest.pop("shell", False) else what
            form["what_value"] = _as_text(rest.pop(what))
    for when in ("cron", "every", "date"):
        if when in rest:
            form["when"], form["when_value"] = when, _as_text(rest.pop(when))
    for field in _WORDS:
        form[field] = ", ".join(rest.pop(field, ()))
    for field in (*_NUMBERS, *_TEXTS, *_JSON, "on"):
        if field in rest:
            form[field] = _as_text(rest.pop(field))
    form["more"] = json.dumps(rest, indent=2, ensure_ascii=False) if rest else ""
    return form


def read(form: Mapping[str, str]) -> Read:
    """The definition of a form; what is empty is left out."""
    # A browser ends the lines of a field as mails do.
    told = {name: value.replace("\r\n", "\n").strip() for name, value in form.items()}
    wrong: dict[str, str] = {}
    spec: dict[str, Any] = {}
    if told.get("more"):
        more = _json(told["more"], "more", wrong)
        if isinstance(more, dict):
            spec.update(more)
        elif "more" not in wrong:
            wrong["more"] = 'it is no table of fields (write {"grace": 10})'
    what, value = told.get("what", "command"), told.get("what_value", "")
    if value:
        is_list = value.startswith("[") and what == "command"
        spec["command" if what == "shell" else what] = (
            _json(value, "what_value", wrong) if is_list else value
        )
        if what == "shell":
            spec["shell"] = True
    elif not any(field in spec for field in ("command", "call", "module", "script")):
        wrong["what_value"] = "there is nothing to run (write the command, or what its kind is)"
    when, value = told.get("when", "hand"), told.get("when_value", "")
    if when != "hand":
        # An empty one is wrong, and said to be so.
        spec[when] = _number_or_text(value) if when == "every" else value
    for field in _WORDS:
        if words := [word.strip() for word in told.get(field, "").split(",") if word.strip()]:
            spec[field] = words
    for field in (*_NUMBERS, "on"):
        if told.get(field):
            spec[field] = _number_or_text(told[field])
    for field in _TEXTS:
        if told.get(field):
            spec[field] = told[field]
    for field in _JSON:
        if told.get(field):
            spec[field] = _json(told[field], field, wrong)
    return Read(name=told.get("name", ""), spec=spec, wrong=wrong)


def wrong_fields(error: DefinitionError) -> dict[str, str]:
    """What is wrong, by the field of the form; what has none stands at the rest."""
    found: dict[str, list[str]] = {}
    for one in each_of([error]):
        field = str(one.field or "").partition("[")[0].partition(".")[0]
        place = _PLACES.get(field, "more")
        words = f"{one.problem} ({one.mend})" if one.mend else one.problem
        if place == "more" and field:
            words = f"{field}: {words}"
        found.setdefault(place, []).append(words)
    return {place: "; ".join(words) for place, words in found.items()}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number_or_text(text: str) -> Any:
    """`60`, `1.5`, `[1, "hour"]`, or the text itself, which is then told to be wrong, or a word."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(text: str, field: str, wrong: dict[str, str]) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        place = (
            f" at its character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        )
        wrong[field] = f"it is no JSON{place} (write texts in quotes)"
        return None
