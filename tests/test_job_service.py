"""What goes with `service = true`, and what is refused beside it."""

import re
from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import Job


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"service": True, "cron": "* * * * *"}, "a service runs always, and has no schedule"),
        ({"service": True, "on": 3}, "a service runs on any one host or on every one, and not"),
        ({"service": True, "retries": 2}, "2 is of no use to a service: it is started anew"),
        ({"service": True, "overlap": "allow"}, "is of no use to a service: it runs once"),
        ({"restart_delay": 5}, "5 is of no use: the job is no service"),
        ({"service": True, "restart_delay": 99}, "99 is more than restart_max_delay, 60"),
    ],
)
def test_what_does_not_go_with_a_service_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(told)):
        Job(name="svc", command="true", **fields)


def test_a_service_that_could_not_be_stopped_is_refused() -> None:
    with pytest.raises(DefinitionError, match="set process = true beside service"):
        Job(name="svc", call="m:f", service=True)
    assert Job(name="svc", call="m:f", service=True, process=True).schedule_text == "kept alive"
