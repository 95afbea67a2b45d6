"""All that is wrong with a definition is told, one error for each field."""

from typing import Any

import pytest

from jober.schedule import ScheduleError, mistakes, parse

WRONG: dict[str, tuple[object, str]] = {
    "dst_gap": ("skp", "'skp' is no choice"),
    "start": ("soon", "'soon' is not a moment"),
    "jitter": (-1, "-1 is not in 0-86400"),
    "only_between": ("8-18", "'8-18' is not a pair of times"),
    "exclude": (["holydays"], "'holydays' is not a calendar"),
    "shift": ("later", "'later' is no choice"),
    "jiter": (5, "did you mean 'jitter'?"),
}


def told(spec: dict[str, Any], timezone: str | None = None) -> list[str | None]:
    return [error.field for error in mistakes(spec, timezone)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cron", "99 3 * * *"),
        ("every", [5, "mins"]),
        ("date", "tomorrow"),
        ("any_of", []),
        ("any_of[1].cron", None),
    ],
)
def test_no_mistake_hides_another(field: str, value: object) -> None:
    kind = field.partition("[")[0]
    whole = [{"cron": "@daily"}, {"cron": "99 * * * *"}, {"cron": "@hourly"}]
    spec = {kind: whole if value is None else value}
    spec |= {name: wrong for name, (wrong, _) in WRONG.items()}
    found = mistakes(spec, "Mars/Base")
    assert sorted(str(error.field) for error in found) == sorted(["timezone", field, *WRONG])
    texts = {error.field: str(error) for error in found}
    assert all(problem in texts[name] for name, (_, problem) in WRONG.items())


def test_each_wrong_member_of_a_union_is_told() -> None:
    members = [{"cron": "x"}, {"cron": "@daily"}, {"every": -1}, {"any_of": [{"date": 5}]}]
    expected = ["any_of[0].cron", "any_of[2].every", "any_of[3].any_of[0].date"]
    assert told({"any_of": members}) == expected


def test_what_is_taken_out_of_the_way_makes_no_mistake_of_its_own() -> None:
    assert told({"cron": "@daily", "exclude": ["holydays"], "shift": "next"}) == ["exclude"]
    assert told({"every": "soon", "at": {"hour": 3}}) == ["every"]
    assert told({"cron": "@daily", "start": "2026-02-01", "end": "2026-01-01"}) == ["end"]
    assert told({"cron": "@daily", "every": 5}, "Mars/Base") == ["timezone", "schedule"]


def test_parse_raises_the_first_and_takes_what_has_none() -> None:
    assert mistakes({"cron": "@daily", "jitter": 5}, "Europe/Warsaw") == []
    spec = {"cron": "99 3 * * *", "jitter": -1}
    with pytest.raises(ScheduleError) as caught:
        parse(spec)
    assert str(mistakes(spec)[0]) == str(caught.value)
