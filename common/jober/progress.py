"""Progress: how far a run says it is, as a whole and in groups. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# A path of groups, "copy/files", is no longer than this, nor deeper, nor are there more.
GROUP_AT_MOST = 100
DEPTH_AT_MOST = 8
GROUPS_AT_MOST = 50
MESSAGE_AT_MOST = 200
NUMBER_AT_MOST = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One report: `done` of `total`, in what unit is the run's own affair. What is None is left
    as an earlier report of the same group has it. `group` is a path, "" for the run itself."""

    done: float | None = None
    total: float | None = None
    message: str | None = None
    group: str = ""

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None where the total is not known."""
        if self.done is None or not self.total:
            return None
        return min(1.0, self.done / self.total)

    def updated(self, later: "Step") -> "Step":
        """As it is after a later report of the same group."""
        return Step(
            done=self.done if later.done is None else later.done,
            total=self.total if later.total is None else later.total,
            message=self.message if later.message is None else later.message,
            group=self.group,
        )

    def to_dict(self) -> dict[str, Any]:
        told = {"done": self.done, "total": self.total, "message": self.message}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """All that a run has reported: the newest of each group, in order of their first report."""

    at_ms: int
    whole: Step = field(default_factory=Step)
    groups: Mapping[str, Step] = field(default_factory=dict)

    def after(self, step: Step, at_ms: int) -> "Progress":
        """With one report more. Past the limit, the group that was begun first makes room."""
        if not step.group:
            return replace(self, at_ms=at_ms, whole=self.whole.updated(step))
        groups = dict(self.groups)
        before = groups.get(step.group)
        groups[step.group] = before.updated(step) if before else step
        if len(groups) > GROUPS_AT_MOST:
            del groups[next(iter(groups))]
        return replace(self, at_ms=at_ms, groups=groups)

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on."""
        told: dict[str, Any] = {**self.whole.to_dict(), "at": self.at_ms}
        if self.groups:
            told["groups"] = {path: step.to_dict() for path, step in self.groups.items()}
        return told

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False)


def read_progress(text: str | bytes) -> Progress:
    """What `to_json` wrote."""
    told = json.loads(text)
    return Progress(
        at_ms=told["at"],
        whole=_step("", told),
        groups={path: _step(path, step) for path, step in told.get("groups", {}).items()},
    )


def checked_step(done: object, total: object, message: object, group: object) -> Step:
    """A step of what anybody said; a long message is cut. Raises ValueError, in words."""
    path = str(group or "")
    parts = path.split("/") if path else []
    if len(path) > GROUP_AT_MOST or len(parts) > DEPTH_AT_MOST or not all(parts):
        raise ValueError(
            f"'{path[:GROUP_AT_MOST]}' is not a group: names with '/' between, at most "
            f"{DEPTH_AT_MOST} of them and {GROUP_AT_MOST} characters in all"
        )
    text = None if message is None else " ".join(str(message).split())
    if text is not None and len(text) > MESSAGE_AT_MOST:
        text = f"{text[: MESSAGE_AT_MOST - 1]}…"
    if text is not None:
        text = text.encode("utf-8", "backslashreplace").decode()
    return Step(
        done=_number("done", done),
        total=_number("total", total),
        message=text,
        group=path.encode("utf-8", "backslashreplace").decode(),
    )


def _number(name: str, value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{name} is a number, and not {value!r:.50}")
    # No isfinite: it raises OverflowError for a whole number of some hundred digits.
    if not 0 <= value <= NUMBER_AT_MOST:
        raise ValueError(f"{name} is {value!r:.50}: not a number from 0 to {NUMBER_AT_MOST:.0e}")
    return value


def _step(group: str, told: Mapping[str, Any]) -> Step:
    return Step(
        done=told.get("done"), total=told.get("total"), message=told.get("message"), group=group
    )
