"""What the end of an attempt means: whether it is good, and whether it is tried again. Pure."""

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from jober.run import Outcome, RunState

# No number of retries, and no delay, is larger.
_MOST = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPolicy:
    """What a definition says of the ends of its runs; the defaults are those of a job's fields."""

    retries: int = 0
    delay_s: float = 10
    backoff: float = 2
    max_delay_s: float = 3600
    retry_on: frozenset[str] = frozenset({"failed", "timeout"})
    ok_exit_codes: frozenset[int] = frozenset({0})
    skip_exit_codes: frozenset[int] = frozenset()

    @classmethod
    def read(cls, options: str) -> Self:
        """That of the options of a run (JSON, as its record has them); the defaults where they
        cannot be read."""
        try:
            given = json.loads(options)
            policy = cls()
            return cls(
                retries=_number(given.get("retries", policy.retries)),
                delay_s=_number(given.get("retry_delay", policy.delay_s)),
                backoff=_number(given.get("retry_backoff", policy.backoff)),
                max_delay_s=_number(given.get("retry_max_delay", policy.max_delay_s)),
                retry_on=frozenset(given.get("retry_on", policy.retry_on)),
                ok_exit_codes=frozenset(given.get("ok_exit_codes", policy.ok_exit_codes)),
                skip_exit_codes=frozenset(given.get("skip_exit_codes", policy.skip_exit_codes)),
            )
        except (ValueError, AttributeError, TypeError):
            return cls()

    def judge(self, ended: Outcome) -> Outcome:
        """The outcome of a program that was started: its exit status read as the job says."""
        code = ended.exit_code
        if code is None or ended.state not in (RunState.SUCCESS, RunState.FAILED):
            return ended
        if code in self.skip_exit_codes:
            return replace(ended, state=RunState.SKIPPED, reason=f"exit code {code}")
        if code in self.ok_exit_codes:
            return (
                ended
                if ended.reason is None
                else replace(ended, state=RunState.SUCCESS, reason=None)
            )
        reason = ended.reason or f"exit code {code}"
        return replace(ended, state=RunState.FAILED, reason=reason)

    def retry_in_s(self, ended: Outcome, attempt: int) -> float | None:
        """In how many seconds it is tried again, after its attempt of that number; None where that
        was the last one, or it was refused."""
        if ended.refused or attempt > self.retries or not (self.retry_on & _causes(ended)):
            return None
        try:
            delay_s = self.delay_s * float(self.backoff) ** (attempt - 1)
        except OverflowError:
            return float(self.max_delay_s)
        return float(min(delay_s, self.max_delay_s))


def _number(value: Any) -> Any:
    """The number itself. Raises TypeError for what is none: a record may hold anything."""
    if type(value) not in (int, float) or not 0 <= value <= _MOST:
        raise TypeError(f"{value!r:.50} is no number from 0 to {_MOST}")
    return value


def _causes(ended: Outcome) -> frozenset[str]:
    """The words of `retry_on` that mean such an end."""
    match ended.state:
        case RunState.FAILED:
            errors = {f"error:{name}" for name in ended.errors}
            return frozenset({"failed", f"exit:{ended.exit_code}", *errors})
        case RunState.TIMEOUT | RunState.LOST:
            return frozenset({str(ended.state)})
        case _:
            return frozenset()
