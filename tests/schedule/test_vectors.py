"""Every row of the agreed fire times; the folder `vectors` tells no more than these rules."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jober.schedule import NextFireTimeError, parse

ROWS = Path(__file__).parent / "vectors"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ROWS / name).read_text().splitlines()]


def told(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_every_cron_row_holds() -> None:
    wrong = []
    for row in rows("cron.jsonl"):
        schedule = parse(row["schedule"], row["timezone"])
        moment: datetime | None = datetime.fromisoformat(row["after"])
        found = []
        for _ in row["next"]:
            assert moment is not None
            moment = schedule.next_after(moment)
            found.append(told(moment))
        if found != row["next"]:
            wrong.append((row, found))
    assert wrong == []


def test_every_at_row_holds() -> None:
    wrong = []
    for row in rows("every_at.jsonl"):
        try:
            schedule = parse(row["schedule"], row["timezone"])
            found = told(schedule.next_after(datetime.fromisoformat(row["last"])))
        except NextFireTimeError:
            found = "NextFireTimeError"
        if found != row["next"]:
            wrong.append((row, found))
    assert wrong == []


@pytest.mark.parametrize("name", ["cron.jsonl", "every_at.jsonl"])
def test_the_vectors_are_there(name: str) -> None:
    assert len(rows(name)) > 100
