"""Signing, for who writes to Redis: clients, schedulers, web nodes."""

import os
from collections.abc import Iterable, Mapping

from jober.daemon import SIGN_KEY_VARIABLE, TRUST_VARIABLE
from jober.signing.judge import Presented
from jober.signing.key import DEFINE, FIRE, Key
from jober.signing.key_file import read_signer, read_trusted
from jober.signing.keyring import Keyring, NotBelieved
from jober.signing.texts import (
    JOB,
    Order,
    Seal,
    digest,
    of_cleanup,
    of_job,
    of_run,
    rest_of,
)
from jober.signing_errors import SigningError

# How long a run may wait for a host, from the moment in which it was ordered; and one that waits
# for other runs first.
ORDER_MS = 86_400_000
WAITING_ORDER_MS = 7 * ORDER_MS
# So long after it was ordered the end of a run starts others: hosts remember what it has started.
FOLLOWED_MS = WAITING_ORDER_MS


class Signing:
    """The `key` that signs, and all that are believed: it is among them."""

    def __init__(self, key: Key | None, trusted: Iterable[Key] = ()) -> None:
        self.key = key
        self._trusted = list(trusted)
        self.keyring = Keyring([*([key] if key else []), *self._trusted])

    def trusting(self, path: str) -> "Signing":
        """The same, which believes the keys of a file or folder, too. Raises SigningError."""
        return Signing(self.key, [*self._trusted, *read_trusted(path)])

    def may(self, purpose: str) -> bool:
        """Whether there is a key that signs, and for that."""
        return self.key is not None and self.key.may(purpose)

    def seal_job(self, name: str, fields: Mapping[str, bytes | str], now_ms: int) -> str:
        """The seal of all that Redis is to keep of a definition. Raises SigningError."""
        told = _texts(fields)
        return self._seal(of_job(name), now_ms, told["queue"], fields, rest_of(told))

    def seal_run(
        self, id: str, job: str, queue: str, data: bytes | str, options: str, now_ms: int
    ) -> str:
        """The seal of one run that has parameters of its own. Raises SigningError."""
        return self._seal(of_run(id, job), now_ms, queue, {"data": data, "options": options}, "")

    def seal_cleanup(self, name: str, call: str, queue: str, options: str, now_ms: int) -> str:
        """The seal of what is called for each run of a job that is deleted. Raises SigningError."""
        fields = {"data": call, "options": options}
        return self._seal(of_cleanup(name), now_ms, queue, fields, "")

    def _seal(
        self,
        subject: str,
        at_ms: int,
        queue: str,
        fields: Mapping[str, bytes | str],
        rest: str,
    ) -> str:
        key = self._for(DEFINE)
        options = _text(fields["options"])
        message = Seal.message(subject, at_ms, queue, fields["data"], options, rest)
        return Seal(
            of=subject.split(" ")[0],
            key=key.id,
            at_ms=at_ms,
            queue=queue,
            rest=rest,
            signature=key.sign(message),
        ).line()

    def order(
        self,
        run: str,
        job: str,
        *,
        now_ms: int,
        until_ms: int,
        since_ms: int = 0,
        of: str = JOB,
        host: str = "",
        asked: bool = False,
        fire_at: str = "",
        term: str = "",
        filled: str = "",
    ) -> str:
        """The order of one run, of its job as that is sealed, or of what `of` is the digest of: the
        seal that the run has of its own. Raises SigningError."""
        key = self._for(FIRE)
        message = Order.message(
            run,
            job,
            fire_at,
            term,
            at_ms=now_ms,
            until_ms=until_ms,
            since_ms=since_ms,
            of=of,
            host=host,
            asked=asked,
            filled=filled,
        )
        return Order(
            key=key.id,
            at_ms=now_ms,
            until_ms=until_ms,
            since_ms=since_ms,
            of=of,
            host=host,
            asked=asked,
            filled=filled,
            signature=key.sign(message),
        ).line()

    def refilled(self, order: Order, what: Presented, data: bytes, now_ms: int) -> str:
        """The same order, of a run that has its results in its `data` now. Raises SigningError."""
        return self.order(
            what.run,
            what.job,
            now_ms=now_ms,
            until_ms=order.until_ms,
            since_ms=order.since_ms,
            of=order.of,
            host=order.host,
            asked=self.is_asked(order),
            fire_at=what.fire_at,
            term=what.term,
            filled=digest(data),
        )

    def is_asked(self, order: Order) -> bool:
        """Whether somebody who may has sent the run to its host by name: who may not define is not
        helped by a key that may."""
        return order.asked and self.keyring.may(order.key, DEFINE)

    def check_job(self, name: str, fields: Mapping[str, bytes | str]) -> Seal:
        """The seal of a definition, all of which is as it was sealed. Raises NotBelieved."""
        told = _texts(fields)
        if not told.get("seal"):
            raise NotBelieved("it is not signed")
        seal = Seal.read(told["seal"])
        message = Seal.message(
            of_job(name),
            seal.at_ms,
            seal.queue,
            fields.get("data", b""),
            told.get("options", ""),
            rest_of(told),
        )
        self.keyring.check(seal.key, DEFINE, message, seal.signature)
        if seal.queue != told.get("queue") or seal.rest != rest_of(told):
            raise NotBelieved(f"it is not what key {seal.key} has signed")
        return seal

    def check_order(self, line: str, run: str, job: str, fire_at: str, term: str) -> Order:
        """The order of a run, as far as it is one, whether it is over or not. Raises
        NotBelieved."""
        order = Order.read(line)
        message = order.message_of(run, job, fire_at, term)
        self.keyring.check(order.key, FIRE, message, order.signature)
        return order

    def _for(self, purpose: str) -> Key:
        if self.key is None:
            raise SigningError(f"no key signs here (name one: {SIGN_KEY_VARIABLE}=FILE)")
        if not self.key.may(purpose):
            raise SigningError(f"key {self.key.id} may not {purpose} (name one that may)")
        return self.key


def read_signing(
    key: str | None, trust: str | None, environ: Mapping[str, str] = os.environ
) -> Signing | None:
    """What signs here, by files as given, or else as the environment names them; None where
    nothing is named. Raises SigningError."""
    key = key or environ.get(SIGN_KEY_VARIABLE)
    trust = trust or environ.get(TRUST_VARIABLE)
    if not key and not trust:
        return None
    return Signing(read_signer(key) if key else None, read_trusted(trust) if trust else ())


def _texts(fields: Mapping[str, bytes | str]) -> dict[str, str]:
    return {name: _text(value) for name, value in fields.items() if name != "data"}


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
