"""What a host believes that has keys: it runs nothing that none of them has signed.

What is judged is what would be executed, as it was claimed. A signature that stands in Redis for it
is read when it is claimed, for all runs of a claim at once.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from jober.errors import RedisUnavailable
from jober.job.payload import CLEAN_UP
from jober.roles import split_priority
from jober.run import NO_JOB, Claim
from jober.signing import Judge, Presented
from jober.signing.judge import cleaned_up
from jober.signing.keyring import NotBelieved
from jober.store import Store
from jober.store.signatures import Signatures, SignatureStore
from jober_worker.call import Function, Program, RqCall
from jober_worker.granted import GrantedRuns
from jober_worker.refused import Refused
from jober_worker.settings import Settings
from jober_worker.shared_log import NotKept

log = logging.getLogger(__name__)

# Of so many runs that were claimed and have not begun the signatures are kept.
KEPT = 10_000


class Trust:
    """`unsigned` are the queues of which plain RQ jobs are run, which nobody can sign. Safe to be
    asked by many threads."""

    def __init__(
        self,
        judge: Judge,
        signatures: SignatureStore,
        granted: GrantedRuns,
        unsigned: frozenset[str],
        host: str,
        roles: Callable[[], frozenset[str]],
        now_ms: Callable[[], int],
    ) -> None:
        self._judge = judge
        self._signatures = signatures
        self._granted = granted
        self._unsigned = unsigned
        self._host = host
        self._roles = roles
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._noted: dict[str, Signatures] = {}

    def open(self) -> None:
        self._granted.open()

    def note(self, claims: Sequence[Claim]) -> None:
        """Read the signatures of runs that were claimed; where Redis is away, that is left to
        `check`."""
        runs = [claim.id for claim in claims if not claim.record]
        if not runs:
            return
        try:
            found = self._signatures.of(runs)
        except RedisUnavailable as error:
            log.warning("the signatures of %d runs cannot be read: %s", len(runs), error)
            return
        with self._lock:
            if len(self._noted) >= KEPT:
                self._noted.clear()
            self._noted.update(found)

    def check(self, claim: Claim, what: Program | Function | RqCall, retries: int) -> None:
        """Raises Refused."""
        if claim.record:
            queue = split_priority(claim.work.queue)[0]
            if queue not in self._unsigned:
                raise Refused(
                    f"refused: an RQ job of an application is signed by nobody, and {self._host} "
                    f"runs those of named queues alone (jober-worker --unsigned-queues {queue})",
                    here=False,
                )
            if not isinstance(what, RqCall):
                raise Refused(
                    "refused: it is an RQ job of an application, and asks for what jobs alone may "
                    "(a program, or a file of functions)",
                    here=False,
                )
            return
        presented = None
        try:
            presented = self._presented(claim)
            granted = self._judge.judge(presented, self._host, self._roles(), self._now_ms())
            self._granted.grant(granted, 1 + retries)
        except RedisUnavailable as error:
            raise Refused(f"its signatures cannot be read: {error}", here=True) from None
        except NotKept as error:
            told = f"it cannot be noted that it was run on {self._host}: {error}"
            raise Refused(f"{told} (let the agent write there)", here=True) from None
        except NotBelieved as error:
            raise Refused(f"refused: {error} ({_mend(presented)})", here=False) from None

    def _presented(self, claim: Claim) -> Presented:
        with self._lock:
            signatures = self._noted.pop(claim.id, None)
        if signatures is None:
            signatures = self._signatures.of([claim.id])[claim.id]
        call, cleans_up = cleaned_up(claim.data, CLEAN_UP) or ("", None)
        return Presented(
            run=claim.id,
            job=claim.job or NO_JOB,
            data=claim.data,
            options=claim.work.options,
            fire_at=claim.fire_at or "",
            term=claim.term or "",
            seal=signatures.seal,
            order=signatures.order,
            template=signatures.template,
            cleans_up=cleans_up,
            call=call,
        )


def trust_of(store: Store, settings: Settings, roles: Callable[[], frozenset[str]]) -> Trust | None:
    """What a host with such settings believes; None where it has no keys."""
    if settings.trusted is None:
        return None
    now_ms = store.clock.now_ms
    return Trust(
        Judge(settings.trusted),
        store.signatures,
        GrantedRuns(settings.journal_dir / f"granted-{settings.host}", now_ms),
        settings.unsigned_queues,
        settings.host,
        roles,
        now_ms,
    )


def _mend(what: Presented | None) -> str:
    if what is None or what.job == NO_JOB:
        return "run it with a key that this host trusts: JOBER_SIGN_KEY=FILE; `jober doctor`"
    return (
        f"apply '{what.job}' with a key that this host trusts, JOBER_SIGN_KEY=FILE, and give the "
        "schedulers theirs; `jober doctor` looks at all"
    )
