"""An elector while Redis is away."""

from pathlib import Path

import pytest

from jober import failpoint
from jober.embedded import RedisServer
from jober.store import Store
from jober_scheduler.elector import Elector
from tests.waiting import wait_until


def test_an_outage_is_logged_once_however_often_the_lead_is_sought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(failpoint.FOLDER_VARIABLE, str(tmp_path))
    with RedisServer() as server:
        store = Store(server.url)
        store.observe_time()
        elector = Elector(store, "node:1:aaaaaa")
        server.kill()
        failpoint.arm({failpoint.VARIABLE: "scheduler.before_lead=hang:0@3"})
        elector.start()
        try:
            wait_until(lambda: list(tmp_path.iterdir()), 60, told="it tries for the third time")
            server.start()
            wait_until(elector.token, 60, told="it leads once Redis is back")
        finally:
            failpoint.arm({})
            elector.stop()
            store.close()
    assert caplog.text.count("cannot renew or seek the lead") == 1
