"""Schemathesis asks a real server whatever its description allows, and more; each answer has to be
one that the description tells of, and never a failure of the server."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.web.conftest import Web

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
# Streams have no end.
STREAMS = ("/api/v1/events", "/api/v1/runs/{id}/output/stream")


def explore(web: Web, known: dict[str, list[str]], examples: int) -> int:
    """Ask each operation so often, with names that are `known` and with others; how many there
    are. Fails with all that is answered wrongly, each with its request."""
    token = {"Authorization": web.client.headers["Authorization"]}
    schema = schemathesis.openapi.from_url(f"{web.url}/api/v1/openapi.json", headers=token)
    asked, wrong = 0, []
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.path in STREAMS:
            continue
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            try:
                _explore(web, operation, mode, known, examples)
            except Unsatisfiable:
                # Nothing can be asked wrongly where nothing is asked for.
                assert mode is schemathesis.GenerationMode.NEGATIVE
            except Exception as error:
                wrong.append(f"{operation.label}: {_told(error)}")
        asked += 1
    assert not wrong, "\n\n".join(wrong)
    return asked


def _told(error: BaseException) -> str:
    inner = "".join(f"\n{_told(one)}" for one in getattr(error, "exceptions", ()))
    return f"{type(error).__name__}: {error}{inner}"


def _explore(
    web: Web,
    operation: Any,
    mode: schemathesis.GenerationMode,
    known: dict[str, list[str]],
    examples: int,
) -> None:
    names = {
        parameter: st.sampled_from(known[parameter])
        for parameter in ("name", "id", "host")
        if f"{{{parameter}}}" in operation.path
    }

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        chosen=st.fixed_dictionaries(names) | st.just({}),
    )
    def ask(case: Any, chosen: dict[str, str]) -> None:
        case.path_parameters = {**(case.path_parameters or {}), **chosen}
        response = case.call(headers={"Authorization": web.client.headers["Authorization"]})
        case.validate_response(response, checks=CHECKS)

    ask()
