"""What an agent is started with: where it keeps logs, and what it refuses."""

import os
from pathlib import Path

import pytest

from jober_worker.main import main
from jober_worker.settings import log_dir


def test_logs_are_kept_where_the_host_keeps_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert log_dir("/srv/logs") == Path("/srv/logs")
    assert log_dir("logs") == Path.cwd() / "logs"
    of_user = Path("/home/me/state/jober/logs")
    assert log_dir(None) == (Path("/var/lib/jober/logs") if os.geteuid() == 0 else of_user)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert log_dir(None) == of_user
    monkeypatch.delenv("XDG_STATE_HOME")
    assert log_dir(None) == Path.home() / ".local/state/jober/logs"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/jober:/var/lib/other")
    assert log_dir(None) == Path("/var/lib/jober/logs")


@pytest.mark.parametrize("option", ["--log-keep", "--log-total"])
def test_a_bound_of_logs_that_is_none_is_refused(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in ("-1", "nan"):
        with pytest.raises(SystemExit):
            main([f"{option}={value}"])
        assert f"{option}: {value} is not in 0-1000000" in capsys.readouterr().err
