"""Where a Jober is, as its argument and the environment say."""

from pathlib import Path

import pytest

from jober.client.where import InFolder, read_where
from jober.errors import DefinitionError

URL = "redis://redis.example.org/0"


@pytest.mark.parametrize(
    ("where", "environ", "expected"),
    [
        (None, {}, InFolder(None)),
        (None, {"JOBER_REDIS_URL": URL}, URL),
        (None, {"JOBER_REDIS_URL": ""}, ""),  # which is refused as an address, and not passed over
        (URL, {"JOBER_REDIS_URL": "redis://other"}, URL),
        ("unix:///run/redis.sock", {}, "unix:///run/redis.sock"),
        ("./state", {"JOBER_REDIS_URL": URL}, InFolder("./state")),
        ("/srv/state", {}, InFolder("/srv/state")),
        ("~/state", {}, InFolder("~/state")),
        (".", {}, InFolder(".")),
        (Path("state"), {}, InFolder("state")),
    ],
)
def test_an_address_is_told_from_a_folder(
    where: object, environ: dict[str, str], expected: str | InFolder
) -> None:
    assert read_where(where, environ) == expected


@pytest.mark.parametrize("where", ["localhost", "redis.example.org:6379", "state", "", "\0", 7])
def test_what_could_be_either_is_refused(where: object) -> None:
    with pytest.raises(DefinitionError):
        read_where(where, {})


def test_in_a_run_that_does_not_know_its_redis_none_is_made_up() -> None:
    with pytest.raises(DefinitionError) as caught:
        read_where(None, {"JOBER_RUN_ID": "nightly-m1"})
    assert "this is inside a run, and nothing says which Redis it is of" in str(caught.value)
