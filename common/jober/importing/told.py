"""What is to be told of a unit that becomes a job."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jober.errors import DefinitionError
from jober.importing.unit import Setting

T = TypeVar("T")

TRUE = frozenset({"1", "yes", "y", "true", "t", "on"})
FALSE = frozenset({"0", "no", "n", "false", "f", "off"})


@dataclass(slots=True)
class Told:
    """What is to be told of a job: problems, warnings, and comments above it."""

    problems: list[DefinitionError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def refuse(self, setting: Setting, problem: str, mend: str | None = None) -> None:
        text = f"{setting.key}={setting.value}: {problem}"
        self.problems.append(DefinitionError(text, file=setting.place, mend=mend))

    def leave_out(self, setting: Setting, why: str) -> None:
        self.remarks.append(f"{setting.key}={setting.value}: {why}")
        self.warnings.append(f"{setting.place}: {setting.key}={setting.value}: {why}")

    def reading(self, setting: Setting, read: Callable[..., T], *args: Any) -> T | None:
        """What `read` gives for `args`; its DefinitionError is a problem of that setting."""
        try:
            return read(*args)
        except DefinitionError as error:
            self.problems.append(
                DefinitionError(
                    f"{setting.key}={setting.value}: {error.problem}",
                    file=setting.place,
                    mend=error.mend,
                )
            )
            return None


def is_true(setting: Setting, told: Told) -> bool:
    """The value of a switch."""
    value = setting.value.lower()
    if value not in TRUE | FALSE:
        told.refuse(setting, "neither yes nor no")
    return value in TRUE
