"""One thing that was looked at: whether it is well, and the mend where it is not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"  # it works, and will not for ever, or not as well as it could
    PROBLEM = "problem"  # something does not work, or a promise does not hold


class Section(StrEnum):
    REDIS = "redis"
    FLEET = "fleet"
    JOBS = "jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`where` names a host or a job, and is empty where there is one alone; `mend` is empty where
    all is well."""

    section: Section
    level: Level
    check: str  # a word for scripts: "version", "persistence", "never-fires", …
    what: str
    where: str = ""
    mend: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "section": str(self.section),
            "check": self.check,
            "level": str(self.level),
            "where": self.where or None,
            "what": self.what,
            "mend": self.mend or None,
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes the findings of one section."""

    section: Section

    def ok(self, check: str, what: str, *, where: str = "") -> Finding:
        return self._of(Level.OK, check, what, "", where)

    def warning(self, check: str, what: str, mend: str, *, where: str = "") -> Finding:
        return self._of(Level.WARNING, check, what, mend, where)

    def problem(self, check: str, what: str, mend: str, *, where: str = "") -> Finding:
        return self._of(Level.PROBLEM, check, what, mend, where)

    def _of(self, level: Level, check: str, what: str, mend: str, where: str) -> Finding:
        return Finding(
            section=self.section, level=level, check=check, what=what, where=where, mend=mend
        )
