"""`Jober`: the public Python API. Each of its rooms is a module beside this one.

`definitions` has the jobs, `by_hand` runs them now, `batch` lists of commands, `runs` finds and
cancels what there is, `hosts` the fleet, `shared_limits` the limits that jobs share, `decisions`
why a fire ran or did not, `happenings` the events; `keeping` moves runs to an archive,
`dict_form` schedules out of a program, `told_job` reads its jobs; `handle` is what a run is held
by.
"""

from types import TracebackType

from jober.client.batch import Batches
from jober.client.decisions import Decisions
from jober.client.dict_form import DictForm
from jober.client.happenings import Happenings
from jober.client.keeping import Keeping
from jober.client.shared_limits import SharedLimits
from jober.daemon import redis_url
from jober.store import Store


class Jober(DictForm, Batches, Keeping, Decisions, SharedLimits, Happenings):
    """jober at one Redis: `with Jober("redis://redis.example.org/0") as jober: …`.

    Without an address it is that of JOBER_REDIS_URL, else Redis on this host. Safe to share
    between threads. Every call may raise RedisUnavailable; all errors are JoberErrors.
    """

    def __init__(self, url: str | None = None) -> None:
        super().__init__(Store(redis_url(url)))

    def __enter__(self) -> "Jober":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._end_schedule()
        self._end_events()
        self.store.close()
