"""The report of an ended attempt as FINISH takes it: plain values, which a journal can keep too."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jober.progress import Progress
from jober.run import FINAL, GOOD, MAX_RESULT_BYTES, Claim, Outcome, RunState, is_plain
from jober.store import rq
from jober.value import quick

Report = dict[str, Any]
_SUCCESS = RunState.SUCCESS  # which takes a moment to look up


@quick(frozen=True, slots=True, kw_only=True)
class Finish:
    """The end of an attempt; `last_seq` is the last frame of its output, `progress` the last that
    it said of itself. It is tried again in `retry_in_s` seconds, unless that is None. What it
    took is not reported, but for us: Redis has its moments."""

    claim: Claim
    host: str
    outcome: Outcome
    last_seq: int = 0
    progress: Progress | None = None
    retry_in_s: float | None = None
    began_ms: int | None = None
    took_s: float | None = None


def report_of(end: Finish) -> Report:
    """The report. Raises what JSON raises for a value that it cannot tell."""
    claim = end.claim
    report: Report = {
        "id": claim.id,
        "attempt": claim.attempt,
        "job": claim.work.job or "",
        "queue": claim.work.queue,
        "host": end.host,
        "limits": claim.work.limits,
        "outcome": _outcome(end),
    }
    if end.retry_in_s is not None:
        report["retry_in"] = round(end.retry_in_s * 1000)
    if end.began_ms is not None:
        report["began_ms"] = end.began_ms
    return report


def works_and_ends(reports: Sequence[Report]) -> tuple[list[Any], list[Any], list[Any]]:
    """As FINISH takes them: what reports have in common, once, six values of each, and the results
    of successes that tell no more than that."""
    works: dict[tuple[str, ...], int] = {}
    results: dict[tuple[str, str], int] = {}
    ends: list[Any] = []
    for told in reports:
        work = (told["job"], told["queue"], told["host"], told["limits"])
        number = works.setdefault(work, len(works) + 1)
        outcome = _shortened(told["outcome"], results)
        again, began = told.get("retry_in", False), told.get("began_ms", False)
        ends += (told["id"], str(told["attempt"]), number, outcome, again, began)
    return list(works), ends, list(results)


# What most successes tell of themselves.
_PLAIN = {"state", "exit_code", "cpu_s"}
_RETURNED = {*_PLAIN, "result", "rq_result"}


def _shortened(outcome: Report, results: dict[tuple[str, str], int]) -> Any:
    """Of such a success its CPU time, with the number of its result where it has one."""
    if outcome["state"] != "success" or outcome.get("exit_code") != 0:
        return outcome
    names = outcome.keys()
    if names == _PLAIN:
        return outcome["cpu_s"]
    if names != _RETURNED:
        return outcome
    result = outcome["result"], outcome["rq_result"]
    return outcome["cpu_s"], results.setdefault(result, len(results) + 1)


def checked_report(value: object) -> Report:
    """A report that was read from a disk: each field is what FINISH relies on. What a later version
    tells beside that is left out.

    Raises ValueError."""
    report = _fields(value, _REPORT, required=_REPORT.keys() - {"retry_in", "began_ms"})
    report["outcome"] = outcome = _fields(report["outcome"], _OUTCOME, required={"state"})
    if "retry" in outcome:
        outcome["retry"] = _fields(outcome["retry"], _RQ_RETRY, required=_RQ_RETRY.keys())
    return report


def _fields(
    value: object, rules: Mapping[str, Callable[[Any], bool]], required: set[str] | Any
) -> dict[str, Any]:
    if not isinstance(value, dict) or not required <= value.keys():
        raise ValueError("its fields are not those of a report")
    known = {name: held for name, held in value.items() if name in rules}
    for name, held in known.items():
        if not rules[name](held):
            raise ValueError(f"its {name} is not what a report has")
    return known


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_exit_code(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


def _is_end(value: object) -> bool:
    return value in {str(state) for state in FINAL - {RunState.MISSED, RunState.POISONED}}


def _are_seconds(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, int | float) and 0 <= one < 2**31 for one in value
    )


_REPORT: dict[str, Callable[[Any], bool]] = {
    "id": _is_name,
    "attempt": _is_count,
    "job": _is_text,
    "queue": _is_name,
    "host": _is_name,
    "limits": _is_text,
    "outcome": _is_map,
    "retry_in": _is_count,
    "began_ms": _is_count,
}
_OUTCOME: dict[str, Callable[[Any], bool]] = {
    "state": _is_end,
    "exit_code": _is_exit_code,
    "reason": _is_text,
    "result": _is_text,
    "rq_result": _is_text,
    "traceback": _is_text,
    "rq_traceback": _is_text,
    "retry": _is_map,
    "last_seq": _is_count,
    "refused": _is_name,
    "cpu_s": _is_text,
    "peak_memory_bytes": _is_count,
    "progress": _is_text,
}
_RQ_RETRY: dict[str, Callable[[Any], bool]] = {"max": _is_count, "intervals": _are_seconds}


@lru_cache(maxsize=1000, typed=True)
def _short(value: str | int) -> tuple[str, str | None]:
    """A short return value, as JSON and as RQ keeps it."""
    return json.dumps(value), rq.result_payload(value)


def _outcome(end: Finish) -> Report:
    return _simply(end) or _in_full(end)


def _simply(end: Finish) -> Report | None:
    """What most successes tell of themselves; None where there is more to tell."""
    outcome = end.outcome
    value = outcome.return_value
    if (
        outcome.state is not _SUCCESS
        or outcome.exit_code != 0
        or outcome.cpu_s is None
        or outcome.reason is not None
        or outcome.traceback is not None
        or outcome.peak_memory_bytes is not None
        or outcome.rq_retry is not None
        or outcome.refused is not None
        or end.progress is not None
        or end.last_seq
    ):
        return None
    told = {"state": "success", "exit_code": 0, "cpu_s": f"{outcome.cpu_s:.6f}"}
    if value is None and outcome.rq_result is None:
        return told
    if not is_plain(value):
        return None
    told["result"], payload = _short(value)
    told["rq_result"] = outcome.rq_result or payload
    return told


def _in_full(end: Finish) -> Report:
    outcome = end.outcome
    reason, result, rq_result, rq_traceback = outcome.reason, None, outcome.rq_result, None
    if outcome.return_value is not None:
        result = json.dumps(outcome.return_value)
        if len(result) > MAX_RESULT_BYTES:
            reason = (
                f"the return value was not kept: {len(result)} bytes are over {MAX_RESULT_BYTES}"
            )
            result = None
        elif rq_result is None:
            rq_result = rq.result_payload(outcome.return_value)
    if outcome.state not in GOOD:
        rq_traceback = rq.traceback_payload(
            outcome.traceback or outcome.reason or str(outcome.state)
        )
    facts: dict[str, Any] = {"state": str(outcome.state)}
    for name, value in (
        ("exit_code", outcome.exit_code),
        ("reason", reason),
        ("result", result),
        ("rq_result", rq_result),
        ("traceback", outcome.traceback),
        ("rq_traceback", rq_traceback),
        ("retry", outcome.rq_retry),
        ("last_seq", end.last_seq or None),
        ("refused", outcome.refused),
        ("cpu_s", None if outcome.cpu_s is None else f"{outcome.cpu_s:.6f}"),
        ("peak_memory_bytes", outcome.peak_memory_bytes),
        ("progress", end.progress.to_json() if end.progress else None),
    ):
        if value is not None:
            facts[name] = value
    return facts
