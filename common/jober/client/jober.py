"""`Jober`: the public Python API. Each of its rooms is a module beside this one.

`definitions` has the jobs, `finding` looks for them among very many, `by_hand` runs them now,
`batch` lists of commands, `runs` finds and cancels what there is, `hosts` the fleet, `overview`
counts, `diagnosis` tells what is wrong with it, `shared_limits` has the limits that jobs share,
`calendars` the days that they exclude, `decisions` why a fire ran or did not, `happenings` the
events; `keeping` moves runs to an archive, `dict_form` schedules out of a program,
`told_job` reads its jobs; `handle` is what a run is held by.
"""

import os
from types import TracebackType
from typing import TYPE_CHECKING

from jober.client.batch import Batches
from jober.client.calendars import Calendars
from jober.client.decisions import Decisions
from jober.client.diagnosis import Diagnosis
from jober.client.dict_form import DictForm
from jober.client.finding import Finding
from jober.client.happenings import Happenings
from jober.client.keeping import Keeping
from jober.client.overview import Overview
from jober.client.shared_limits import SharedLimits
from jober.client.where import read_where
from jober.daemon import SIGN_KEY_VARIABLE, TRUST_VARIABLE
from jober.store import Store

if TYPE_CHECKING:
    from jober.signing import Signing


class Jober(
    DictForm,
    Batches,
    Keeping,
    Decisions,
    SharedLimits,
    Calendars,
    Finding,
    Overview,
    Happenings,
    Diagnosis,
):
    """jober at one Redis, or in a folder: `with Jober("./state") as jober: …`.

    `where` is the address of a Redis, `redis://redis.example.org/0`, which daemons serve; or a
    folder, which this program shares with others, and serves with them: the first starts a Redis
    there, a scheduler and an agent, and with the last they end; what is in the folder is kept.
    Without either it is the Redis of JOBER_REDIS_URL; where that is not set, a temporary folder.

    What is defined and run is signed by the key of the file `sign_key` (default: JOBER_SIGN_KEY,
    else nothing is signed), for hosts that believe keys alone; `trust` is a file or a folder of the
    keys of others who define and run (default: JOBER_TRUST). In a folder nothing is signed.

    Runs made in a folder end with the program, unless they are detached. Safe to share between
    threads. Every call may raise RedisUnavailable; all errors are JoberErrors.
    """

    def __init__(
        self,
        where: str | os.PathLike[str] | None = None,
        *,
        sign_key: str | os.PathLike[str] | None = None,
        trust: str | os.PathLike[str] | None = None,
    ) -> None:
        place = read_where(where, os.environ)
        if isinstance(place, str):
            super().__init__(Store(place, _signing(sign_key, trust)))
            return
        # Loaded where it is needed: what starts processes takes its time.
        from jober.embedded.member import Membership

        membership = Membership(place.path)
        super().__init__(Store(membership.url), membership)

    @property
    def url(self) -> str:
        """The address of its Redis, for other programs: `JOBER_REDIS_URL=… jober runs`."""
        return self.store.url

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
        """Let go of the connections; leave the folder, where it is in one."""
        self._end_schedule()
        self._end_events()
        self.home.end_functions()
        self.store.close()
        self.home.leave()


def _signing(
    key: str | os.PathLike[str] | None, trust: str | os.PathLike[str] | None
) -> "Signing | None":
    """What signs, loaded only where something does. Raises SigningError."""
    if not (key or trust or {SIGN_KEY_VARIABLE, TRUST_VARIABLE} & os.environ.keys()):
        return None
    from jober.signing import read_signing

    return read_signing(os.fspath(key) if key else None, os.fspath(trust) if trust else None)
