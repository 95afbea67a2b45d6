"""The fleet that is attacked, of the tests of one file."""

from collections.abc import Iterator

import pytest

from jober.embedded import RedisServer
from tests.signing.attacked import Attacked


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    with RedisServer() as server:
        attacked = Attacked(server, folder)
        fleet, jober = attacked.fleet, attacked.jober
        try:
            fleet.agent("alpha", "db", "--accept-pickle")
            fleet.scheduler()
            jober.add_job("good", command="true", roles=["db"], env={"A": "1"})
            jober.add_job("sum", call="operator:add", args=[1, 2], roles=["db"])
            jober.add_job("for-others", command=f"touch {attacked.mark}", roles=["web"])
            jober.add_job("cleaned", command="true", roles=["db"], cleanup="builtins:print")
            assert jober.run("good").wait(30).state == "success"
            yield attacked
        finally:
            attacked.client.close()
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where a test fails
