"""Who follows a stream over HTTP, as a browser does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event of a stream."""

    type: str
    data: Any
    id: str | None


@contextmanager
def following(
    client: httpx.Client, path: str, after: str | None = None, **params: Any
) -> Iterator[Iterator[Told]]:
    """The events of a stream, as they come."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with client.stream("GET", path, headers=headers, params=params) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield read(response.iter_lines())


def read(lines: Iterator[str]) -> Iterator[Told]:
    """The events of these lines; comments are passed over."""
    fields: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "data" in fields:
            yield Told(type=fields["event"], data=json.loads(fields["data"]), id=fields.get("id"))
            fields = {}
