"""Whether a host runs a run: what it would execute has to be sealed, and the run ordered."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jober.roles import matches, split_priority
from jober.run import NO_JOB
from jober.signing.filled import is_filled, lacks_results
from jober.signing.key import DEFINE, FIRE
from jober.signing.keyring import Keyring, NotBelieved
from jober.signing.texts import (
    CLEANUP,
    JOB,
    Order,
    Seal,
    digest,
    of_cleanup,
    of_job,
    of_run,
)

# So far the clocks of two hosts may be apart.
APART_MS = 60_000
# Of so many seals it is remembered that they are good.
KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a host is about to do, and by what: the run as it was claimed, and of its record the
    seal, the order and what was sealed where results were put in (`template`)."""

    run: str
    job: str
    data: bytes
    options: str
    fire_at: str
    term: str
    seal: str
    order: str
    template: bytes | None = None
    cleans_up: Mapping[str, str] | None = None  # of the run that was deleted: run, job, fire_at, …
    call: str = ""  # the function that cleans up


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A run that may be: `job` is whose definition it is of, sealed at `sealed_ms`, or None where
    it has a seal of its own. `of` is what may be done by the order, once for each attempt."""

    of: str
    job: str | None
    sealed_ms: int
    ordered_ms: int


class Judge:
    """Safe to be asked by many threads."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._good: dict[tuple[str, str, bytes, str], Seal] = {}

    def judge(self, what: Presented, host: str, roles: frozenset[str], now_ms: int) -> Granted:
        """Raises NotBelieved, which says why the host does not run it."""
        if not (what.seal and what.order):
            raise NotBelieved("it is not signed")
        cleans_up = what.cleans_up
        if cleans_up is not None:
            return self._cleanup(what, cleans_up, host, roles, now_ms)
        seal, order = self._signed(what)
        if what.template is None and lacks_results(what.data):
            raise NotBelieved("its arguments name results that it was not given")
        self._check_time(order, seal, now_ms)
        self._check_place(order, seal, host, roles)
        return Granted(
            of=what.run,
            job=what.job if seal.of == JOB else None,
            sealed_ms=seal.at_ms,
            ordered_ms=order.at_ms,
        )

    def genuine(self, what: Presented) -> Order:
        """The order of a run, whether it is over or not, of which all is as it was signed. Raises
        NotBelieved."""
        if not (what.seal and what.order):
            raise NotBelieved("it is not signed")
        return self._signed(what)[1]

    def _signed(self, what: Presented) -> tuple[Seal, Order]:
        seal = self._sealed(what, what.data if what.template is None else what.template)
        order = Order.read(what.order)
        message = order.message_of(what.run, what.job, what.fire_at, what.term)
        self._keyring.check(order.key, FIRE, message, order.signature)
        if order.of != (JOB if seal.of == JOB else digest(what.seal)):
            raise NotBelieved("it was ordered with other parameters than these")
        self._check_filled(order, what)
        return seal, order

    def _sealed(self, what: Presented, data: bytes) -> Seal:
        """The seal, which covers what is done; one that is shared is verified once."""
        known = (what.seal, what.job, data, what.options)
        good = self._good.get(known)
        if good is not None:
            return good
        seal = Seal.read(what.seal)
        if seal.of == CLEANUP:
            raise NotBelieved("its seal is of what cleans up")
        subject = of_job(what.job) if seal.of == JOB else of_run(what.run, what.job)
        self._check_seal(seal, subject, data, what.options)
        if seal.of == JOB:
            if len(self._good) >= KEPT:
                self._good.clear()
            self._good[known] = seal
        return seal

    def _check_seal(self, seal: Seal, subject: str, data: bytes | str, options: str) -> None:
        message = Seal.message(subject, seal.at_ms, seal.queue, data, options, seal.rest)
        try:
            self._keyring.check(seal.key, DEFINE, message, seal.signature)
        except NotBelieved as error:
            raise NotBelieved(f"what it does: {error}") from None

    def _check_time(self, order: Order, seal: Seal, now_ms: int) -> None:
        if order.at_ms > now_ms + APART_MS:
            raise NotBelieved("it was ordered in the future, by the clock of this host")
        if now_ms > order.until_ms + APART_MS:
            raise NotBelieved(f"its order is over since {(now_ms - order.until_ms) // 1000} s")
        if seal.at_ms < order.since_ms:
            raise NotBelieved("its definition is older than the one that it was ordered of")

    def _check_filled(self, order: Order, what: Presented) -> None:
        if what.template is None and not order.filled:
            return
        if what.template is None or order.filled != digest(what.data):
            raise NotBelieved("its arguments are not those that it was ordered with")
        if not is_filled(what.template, what.data):
            raise NotBelieved("more than results was put into what was signed")

    def _check_place(self, order: Order, seal: Seal, host: str, roles: frozenset[str]) -> None:
        if order.host and order.host != host:
            raise NotBelieved(f"it was ordered for the host {order.host}")
        # Who may define may send a run to a host by its name. That a host was chosen for a run says
        # nothing: it was, since Redis says that it has the role.
        if order.host and order.asked and self._keyring.may(order.key, DEFINE):
            return
        if not matches(split_priority(seal.queue)[0], roles):
            raise NotBelieved(f"it is for hosts with the role {split_priority(seal.queue)[0]}")

    def _cleanup(
        self,
        what: Presented,
        deleted: Mapping[str, str],
        host: str,
        roles: frozenset[str],
        now_ms: int,
    ) -> Granted:
        """It is sealed what is called; and the run that is cleaned up after was a real one."""
        run, job = deleted["run"], deleted["job"]
        seal = Seal.read(what.seal)
        if seal.of != CLEANUP:
            raise NotBelieved("its seal is not of what cleans up")
        self._check_seal(seal, of_cleanup(job), what.call, what.options)
        order = Order.read(what.order)
        message = order.message_of(run, job, deleted["fire_at"], deleted["term"])
        self._keyring.check(order.key, FIRE, message, order.signature)
        # What it says of itself its program is told, and so is nothing but what is signed.
        if what.job != NO_JOB or what.fire_at or what.term or not _is_cleanup(what.run, run):
            raise NotBelieved(f"it is not as what cleans up after {run} is made")
        # The host of the deleted run, as it was ordered: what its record said was not signed.
        if not matches(split_priority(seal.queue)[0], roles) and order.host != host:
            raise NotBelieved(f"it is for hosts with the role {split_priority(seal.queue)[0]}")
        return Granted(
            of=f"cleanup {run}",
            job=None,
            sealed_ms=seal.at_ms,
            ordered_ms=now_ms,
        )


def _is_cleanup(id: str, run: str) -> bool:
    """Whether a run has the id of what cleans up after `run`, as FORGET makes it."""
    return re.fullmatch(r"cleanup-[0-9]+-" + re.escape(run[:150]), id) is not None


def cleaned_up(data: bytes, function: str) -> tuple[str, dict[str, str]] | None:
    """The function that is called, and of what is known of the deleted run what was signed; None
    where `data` is no such call of `function`."""
    if not data.startswith(f'["{function}"'.encode()):
        return None
    try:
        _, _, [call, facts], _ = json.loads(data)
        names = ("run", "job", "fire_at", "term")
        return str(call), {name: str(facts.get(name) or "") for name in names}
    except (ValueError, TypeError, AttributeError):
        raise NotBelieved("it is no call that cleans up") from None
