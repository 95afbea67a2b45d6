"""What is written to Redis is signed here, where there is a key; and first it is looked at whether
what it is made of was signed: Redis may hold whatever somebody has put there.

Where a definition is not believed, what is made of it is written without signatures. Hosts that
believe keys alone refuse it then, and say why; all others run it as ever.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jober.run import NO_JOB
from jober.signing import DEFINE, FIRE, Judge, Order, Presented, Seal, Signing, digest
from jober.signing.keyring import NotBelieved
from jober.signing.signing import FOLLOWED_MS, ORDER_MS, WAITING_ORDER_MS
from jober.signing.texts import JOB
from jober.signing_errors import NotSigned, RunNotSigned
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import record, text

log = logging.getLogger(__name__)

# Of so many jobs it is remembered what was told of them last, and how new a seal they had.
KEPT = 100_000
# Definitions are read so many at a time.
PAGE = 500


class Signer:
    def __init__(self, connection: Connection, signing: Signing) -> None:
        self._redis = connection
        self._signing = signing
        self._judge = Judge(signing.keyring)
        self._newest: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._knows_time = False

    def _now_ms(self) -> int:
        """The moment by the clock of Redis, which all that sign go by."""
        if not self._knows_time:
            self._redis.observe_time()
            self._knows_time = True
        return self._redis.clock.now_ms()

    @property
    def seals(self) -> bool:
        """Whether definitions are sealed here."""
        return self._signing.may(DEFINE)

    @property
    def orders(self) -> bool:
        """Whether runs are ordered here."""
        return self._signing.may(FIRE)

    @property
    def orders_alone(self) -> bool:
        """Whether runs are ordered here as they are defined, and in no other way."""
        return self.orders and not self.seals

    # Definitions

    def seal_all(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Put the seals into changes of definitions, as the script APPLY takes them, and what
        intervals count from, as it would: it is sealed. Raises SigningError where the key that
        signs here may not define."""
        if self._signing.key is None or not changes:
            return
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for one in changes:
                pipeline.hmget(keys.job(one["name"]), "schedule", "anchor", "cursor")
            pipeline.time()
            *known, (second, _) = pipeline.execute()
        for one, told in zip(changes, known, strict=True):
            fields = one["fields"]
            fields["anchor"] = _anchor(fields["schedule"], told, one.get("since_ms"), second * 1000)
            self._seal(one["name"], fields)

    def _seal(self, name: str, fields: dict[str, str | bytes]) -> None:
        now_ms = self._now_ms()
        if cleanup := fields["cleanup"]:
            told = json.loads(cleanup)
            seal = self._signing.seal_cleanup(
                name, told["call"], told["queue"], told["options"], now_ms
            )
            fields["cleanup"] = json.dumps(
                {**told, "seal": seal}, ensure_ascii=False, sort_keys=True
            )
        fields["seal"] = self._signing.seal_job(name, fields, now_ms)

    def problem(self, name: str, fields: Mapping[str, bytes]) -> str | None:
        """Why what Redis keeps of a definition is not believed; None where it is."""
        try:
            self._signing.check_job(name, fields)
        except NotBelieved as error:
            return str(error)
        return None

    def is_own(self, fields: Mapping[str, bytes]) -> bool:
        """Whether a definition that is believed has its seal of the key that signs here."""
        key = self._signing.key
        return key is not None and Seal.read(text(fields["seal"]) or "").key == key.id

    def trusting(self, path: str | None) -> "Signer":
        """One that believes the keys of a file or folder, too. Raises SigningError."""
        return self if path is None else Signer(self._redis, self._signing.trusting(path))

    def check(self, name: str, fields: Mapping[str, bytes]) -> None:
        """Raises NotSigned where what is signed now would be made of what is not believed."""
        if self._signing.key is None:
            return
        try:
            self._seal_of(name, fields)
        except NotBelieved as error:
            raise NotSigned(name, str(error)) from None

    def believed(self, names: Iterable[str]) -> dict[str, tuple[Seal, Mapping[str, bytes]]]:
        """Of the jobs with these names, those whose definitions are believed: the seal, and all
        that it covers. Of one that had a newer seal before, none."""
        wanted = list(dict.fromkeys(names))
        found = {}
        for start in range(0, len(wanted), PAGE):
            found.update(self._believed(wanted[start : start + PAGE]))
        return found

    def _believed(self, names: Sequence[str]) -> dict[str, tuple[Seal, Mapping[str, bytes]]]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hgetall(keys.job(name))
            records = pipeline.execute()
        read = {name: record(told) for name, told in zip(names, records, strict=True)}
        return self._believed_of(read)

    def _believed_of(
        self, read: Mapping[str, Mapping[str, bytes]]
    ) -> dict[str, tuple[Seal, Mapping[str, bytes]]]:
        """Those of the definitions, as they were read, that are believed."""
        found = {}
        for name, fields in read.items():
            try:
                found[name] = (self._seal_of(name, fields), fields)
            except NotBelieved as error:
                if fields:
                    self._tell(name, str(error))
        return found

    def _seal_of(self, name: str, fields: Mapping[str, bytes]) -> Seal:
        """Raises NotBelieved, also where it had a newer one before."""
        seal = self._signing.check_job(name, fields)
        if len(self._newest) >= KEPT:
            self._newest.clear()
        if seal.at_ms < self._newest.get(name, 0):
            raise NotBelieved("it is older than the one before: somebody has put it back")
        self._newest[name] = seal.at_ms
        return seal

    def _tell(self, name: str, problem: str) -> None:
        if len(self._told) >= KEPT:
            self._told.clear()
        if self._told.get(name) != problem:
            self._told[name] = problem
            log.warning("job %s: its runs are not signed: its definition: %s", name, problem)

    # Runs

    def order(
        self,
        run: str,
        job: str,
        seal: Seal,
        *,
        host: str = "",
        fire_at: str = "",
        term: str = "",
        waits: bool = False,
    ) -> str:
        """The order of a run of what is believed."""
        now_ms = self._now_ms()
        return self._signing.order(
            run,
            job,
            now_ms=now_ms,
            until_ms=now_ms + (WAITING_ORDER_MS if waits else ORDER_MS),
            since_ms=seal.at_ms,
            host=host,
            fire_at=fire_at,
            term=term,
        )

    def sign_runs(
        self,
        told: Sequence[tuple[str, Sequence[dict[str, Any]]]],
        read: Mapping[str, Mapping[str, bytes]] | None = None,
    ) -> None:
        """Put orders into runs of jobs, as a script takes them; and seals, where they have
        parameters of their own. Those that were made of definitions that were `read` before are
        signed by these alone: Redis may tell others by now."""
        if not self.orders:
            return
        read = read or {}
        known = self._believed_of(read)
        known |= self.believed(job for job, _ in told if job != NO_JOB and job not in read)
        for job, runs in told:
            if job != NO_JOB and job not in known:
                continue
            for run in runs:
                self._sign_run(job, known.get(job), run)

    def _sign_run(
        self, job: str, known: tuple[Seal, Mapping[str, bytes]] | None, run: dict[str, Any]
    ) -> None:
        now_ms = self._now_ms()
        fields: Mapping[str, bytes] = known[1] if known else {}
        data = run.get("data", fields.get("data", b""))
        options = run.get("options", text(fields.get("options")) or "{}")
        queue = run.get("queue", text(fields.get("queue")) or "")
        own = data != fields.get("data") or options.encode() != fields.get("options")
        since_ms, of = known[0].at_ms if known else 0, JOB
        if own or "queue" in run:
            run |= {"data": data, "options": options}
            run["seal"] = self._signing.seal_run(run["id"], job, queue, data, options, now_ms)
            since_ms, of = now_ms, digest(run["seal"])
        waits = run.get("waits", text(fields.get("waits")) or "")
        run["order"] = self._signing.order(
            run["id"],
            job,
            now_ms=now_ms,
            until_ms=now_ms + (WAITING_ORDER_MS if waits else ORDER_MS),
            since_ms=since_ms,
            of=of,
            host="" if run.get("may_move") else run.get("host", ""),
            asked=run.get("asked", False),
        )

    def starts_others(self, run: str, job: str) -> bool:
        """Whether the run was ordered by a key, whatever has become of it; and no longer ago than
        hosts remember what it has started."""
        told = self._redis.command("HMGET", keys.rq_job(run), "order", "fire_at", "term")
        line, fire_at, term = (text(value) or "" for value in told)
        try:
            order = self._signing.check_order(line, run, job, fire_at, term)
            if order.at_ms < self._now_ms() - FOLLOWED_MS:
                raise NotBelieved("it was ordered over 7 days ago")
        except NotBelieved as error:
            self._tell(job, f"{run}, which would start it: {error}")
            return False
        return True

    def signed_run(self, run: str, fields: Mapping[str, bytes]) -> tuple[Seal, Order] | None:
        """The seal and the order of a run that is to be signed anew, `asked` where that was for who
        has ordered it to say; None where nothing is signed here. Raises RunNotSigned where it was
        not."""
        if self._signing.key is None:
            return None
        what = _presented(run, fields)
        try:
            order = self._judge.genuine(what)
        except NotBelieved as error:
            raise RunNotSigned(run, str(error)) from None
        return Seal.read(what.seal), replace(order, asked=self._signing.is_asked(order))

    def reorder(self, run: str, template: bytes, data: bytes) -> str:
        """The order of a run that has waited, with the results that it was given in its `data`;
        empty where it was not ordered before, to do what the `template` says without them."""
        if not self.orders:
            return ""
        what = _presented(run, record(self._redis.command("HGETALL", keys.rq_job(run))))
        try:
            order = self._judge.genuine(what)
            if what.data != template:
                raise NotBelieved("it is not what it was made from")
        except NotBelieved as error:
            self._tell(what.job, f"{run}, which waited: {error}")
            return ""
        return self._signing.refilled(order, what, data, self._now_ms())


def _anchor(
    schedule: str, known: Sequence[bytes | None], since_ms: int | None, second_ms: int
) -> str:
    """What intervals are to count from, in a definition that has been in Redis as `known`: its
    schedule, anchor and cursor. Whoever writes there may choose where in the interval it fires, but
    never how often."""
    before, anchor, cursor = known
    if before is None:
        return str(second_ms if since_ms is None else min(since_ms, second_ms))
    told = anchor if before == schedule.encode() else cursor
    return told.decode() if told and told.isdigit() else str(second_ms)


def _presented(run: str, fields: Mapping[str, bytes]) -> Presented:
    return Presented(
        run=run,
        job=text(fields.get("job")) or "",
        data=fields.get("data", b""),
        options=text(fields.get("options")) or "{}",
        fire_at=text(fields.get("fire_at")) or "",
        term=text(fields.get("term")) or "",
        seal=text(fields.get("seal")) or "",
        order=text(fields.get("order")) or "",
        template=fields.get("template"),
    )
