"""A command line in this process, on the Redis of the test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from jober.cli import main
from jober.embedded import RedisServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command came to."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Done]


@pytest.fixture
def cli(
    redis_server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Cli:
    """Run `jober` with some arguments."""
    monkeypatch.setenv("JOBER_REDIS_URL", redis_server.url)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments: str) -> Done:
        capfdbinary.readouterr()
        status = main(arguments)
        told = capfdbinary.readouterr()
        return Done(status=status, out=told.out, err=told.err.decode())

    return run
