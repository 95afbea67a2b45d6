"""Spans of schedulers and agents, at a receiver of OTLP over HTTP: those of a run are one trace."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from jober.traceparent import TraceParent, read_traceparent, root_of, with_caller
from tests.fleet import BIN, Fleet
from tests.receiver import Receiver
from tests.waiting import wait_until

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ECHO = 'echo "$TRACEPARENT"'


@dataclass(frozen=True)
class Told:
    """A span as it was received."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    start_ns: int
    end_ns: int
    facts: dict[str, str | int]
    is_error: bool


class Collector(Receiver):
    def spans(self, **facts: str | int) -> list[Told]:
        """What has come so far with these facts, in the order of their begins; where several begin
        within one millisecond, the parent first."""
        found = (told for got in self.got for told in read(got.body))
        chosen = [told for told in found if facts.items() <= told.facts.items()]
        spans = {told.span for told in chosen}
        return sorted(chosen, key=lambda told: (told.start_ns, told.parent in spans, told.end_ns))


def read(body: bytes) -> Iterator[Told]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    for group in request.resource_spans:
        of_resource = {one.key: one.value.string_value for one in group.resource.attributes}
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Told(
                    service=of_resource["service.name"],
                    name=span.name,
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    facts={
                        one.key.removeprefix("jober."): one.value.string_value
                        or one.value.int_value
                        for one in span.attributes
                    },
                    is_error=span.status.code == span.status.STATUS_CODE_ERROR,
                )


@pytest.fixture
def collector(fleet: Fleet) -> Iterator[Collector]:
    with Collector() as collector:
        fleet.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
        fleet.environ["OTEL_BSP_SCHEDULE_DELAY"] = "100"
        yield collector


def test_a_fire_the_wait_and_each_attempt_are_one_trace_that_the_program_joins(
    fleet: Fleet, collector: Collector
) -> None:
    fleet.scheduler()
    fleet.agent("db1", "db")
    again = {"retries": 1, "retry_delay": 0, "cron": "* * * * * *"}
    fleet.jober.add_job(f"{ECHO}; exit 3", shell=True, name="fails", roles=["db"], **again)

    def told() -> list[Told]:
        """All that there is to tell of the first run."""
        runs = fleet.jober.runs("fails", limit=100)
        found = collector.spans(run=runs[-1].id) if runs else []
        return found if len(found) >= 5 else []

    fire, wait, first, second_wait, second = wait_until(told, 60, "five spans")
    names = ["fire fails", "wait fails", "run fails", "wait fails", "run fails"]
    assert [one.name for one in (fire, wait, first, second_wait, second)] == names
    assert fire.service == "jober-scheduler" and fire.parent == ""
    assert {wait.service, first.service, second.service} == {"jober-worker"}
    assert {one.trace for one in (fire, wait, first, second_wait, second)} == {fire.trace}
    assert {one.parent for one in (wait, first, second_wait, second)} == {fire.span}
    assert str(fire.facts["fire_at"]).startswith(str(fire.facts["run"])[6:10])
    assert first.facts["attempt"] == 1 and second.facts["attempt"] == 2
    assert first.is_error and first.facts["state"] == "failed" and first.facts["exit_code"] == 3
    assert first.facts["host"] == "db1"
    assert fire.start_ns <= wait.start_ns <= wait.end_ns <= first.end_ns <= second_wait.end_ns
    # The place of each attempt, as its program finds it.
    run = fleet.jober.handle(str(fire.facts["run"]))
    wait_until(lambda: run.run.state.is_final, 60)
    wrote = run.output.lines()
    assert wrote == [f"00-{fire.trace}-{one.span}-01" for one in (first, second)]


def test_a_run_that_is_made_within_a_trace_goes_on_with_it(
    fleet: Fleet, collector: Collector
) -> None:
    fleet.agent("db1", "db")
    jober = fleet.jober
    jober.add_job(ECHO, shell=True, name="echo", roles=["db"])
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("a program")
    with tracer.start_as_current_span("caller") as span:
        context = span.get_span_context()
        within, given = jober.run("echo"), jober.run(["sh", "-c", ECHO], roles=["db"])
    alone, again = jober.run("echo"), within.rerun()
    by_hand = subprocess.run(
        [str(BIN / "jober"), "run", "echo", "--redis", fleet.url],
        env={**os.environ, "TRACEPARENT": CALLER},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    def told(run: str) -> tuple[Told, Told]:
        found = wait_until(lambda: collector.spans(run=run)[1:] and collector.spans(run=run), 60)
        assert [one.name.split()[0] for one in found] == ["wait", "run"]
        return found[0], found[1]

    caller = TraceParent(trace=f"{context.trace_id:032x}", span=f"{context.span_id:016x}")
    for run, parent in (
        (within.id, caller),
        (given.id, caller),
        (by_hand, read_traceparent(CALLER)),
    ):
        assert parent is not None
        for one in told(run):
            assert (one.trace, one.parent) == (parent.trace, parent.span)
    for handle in (alone, again):
        wait, ran = told(handle.id)
        assert (wait.parent, ran.parent) == ("", wait.span)
        assert (wait.trace, wait.span) == (root_of(handle.id).trace, root_of(handle.id).span)
        assert f"00-{ran.trace}-{ran.span}-01" in handle.output.lines()


def test_where_nobody_wants_spans_nothing_of_it_is_loaded_and_a_callers_trace_is_passed_on(
    fleet: Fleet,
) -> None:
    fleet.agent("db1", "db")
    jober = fleet.jober
    for package in ("jober.tracing.otlp", "opentelemetry.sdk.trace", "opentelemetry.sdk.metrics"):
        asked = jober.run("tests.worker.rq_tasks:loaded", args=[package], roles=["db"])
        assert asked.result(60) == []
    assert jober.run(["sh", "-c", ECHO], roles=["db"]).wait(60).state == "success"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACEPARENT", CALLER)
        within = jober.run(["sh", "-c", ECHO], roles=["db"])
    within.wait(60)
    assert within.output.lines() == [CALLER]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        CALLER[:-1],
        CALLER.upper(),
        f"ff{CALLER[2:]}",
        CALLER.replace("b7ad6b7169203331", "0" * 16),
    ],
)
def test_what_is_no_place_in_a_trace_is_none(text: str | None) -> None:
    assert read_traceparent(text) is None


def test_options_have_the_caller_of_this_run_and_of_none_before() -> None:
    caller = read_traceparent(CALLER)
    assert with_caller("{}", None) == "{}"
    within = with_caller('{"timeout": 5}', caller)
    assert within == f'{{"timeout": 5, "traceparent": "{CALLER}"}}'
    assert with_caller(within, None) == '{"timeout": 5}'
    assert with_caller("no JSON", caller) == "no JSON"
