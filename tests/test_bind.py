"""Where a daemon listens, as it is written."""

import pytest

from jober.bind import METRICS_EXAMPLE, Bind, read_bind
from jober.errors import DefinitionError, JoberError


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("127.0.0.1:9464", Bind("127.0.0.1", 9464)),
        ("9464", Bind("127.0.0.1", 9464)),
        (":9464", Bind("127.0.0.1", 9464)),
        ("[::1]:0", Bind("::1", 0)),
        ("db1.example.org:80", Bind("db1.example.org", 80)),
    ],
)
def test_a_place_is_a_host_and_a_port(text: str, bind: Bind) -> None:
    assert read_bind(text, METRICS_EXAMPLE) == bind


@pytest.mark.parametrize(
    "text", ["", "host", "::1:80", "host:http", "host:65536", "host:-1", "host:٣"]
)
def test_what_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DefinitionError, match=r"no place to listen at.*127\.0\.0\.1:9464"):
        read_bind(text, METRICS_EXAMPLE)


def test_a_port_that_is_taken_is_told_with_the_option() -> None:
    with Bind("127.0.0.1", 0).listen("metrics") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(JoberError, match=rf"cannot listen at 127\.0\.0\.1:{port}.*--metrics"):
            Bind("127.0.0.1", port).listen("metrics")
