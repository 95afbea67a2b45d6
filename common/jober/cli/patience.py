"""To go on following while Redis is away: a restart, a failover."""

import time

from jober.cli.terminal import note
from jober.errors import RedisRefused, RedisUnavailable

# So long, before a follower gives up.
_AWAY_S = 60.0


class Patience:
    """Says once that Redis is away, and waits; for over a minute, and it raises."""

    def __init__(self) -> None:
        self._away_since: float | None = None

    def answered(self) -> None:
        """Redis is there."""
        self._away_since = None

    def wait(self, error: RedisUnavailable) -> None:
        """Return when Redis may be asked again. Raises the error where there is no sense in it."""
        if isinstance(error, RedisRefused):
            raise error
        if self._away_since is None:
            self._away_since = time.monotonic()
            note(f"{str(error.__cause__ or error).rstrip('.')}; waiting for Redis")
        if time.monotonic() - self._away_since > _AWAY_S:
            raise error
        time.sleep(0.5)
