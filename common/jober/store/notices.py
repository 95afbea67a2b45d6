"""What has become of jobs that tell somebody, and the messages that wait to be delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jober.clock import iso
from jober.notify import Decided, Delivery, Notice, Notify
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import moment_ms, number, packed, record, text

# So many messages may wait, and each for so long at the most.
WAIT_AT_MOST, KEPT_S = 10_000, 7 * 86_400
# Where a job runs on any host, it fails as a whole.
ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message: `policy` says where it goes and how it looks; `problem` why it did not arrive."""

    id: str
    attempt: int
    made_at_ms: int
    job: str
    run: str | None
    about: str
    to: str
    policy: Notify
    facts: dict[str, str]
    problem: str | None = None
    due_ms: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "id": self.id,
            "job": self.job,
            "run": self.run,
            "about": self.about,
            "to": self.to,
            "attempts": self.attempt,
            "problem": self.problem,
            "made_at": iso(self.made_at_ms),
            "next": iso(self.due_ms),
        }


class NoticeStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def oldest(self, limit: int = 100) -> list[Notice]:
        """Notices that nobody has looked at, oldest first."""
        found = self._redis.command("XRANGE", keys.NOTICES, "-", "+", "COUNT", limit)
        return [_notice(entry[0], record(entry[1])) for entry in found or []]

    def failing_since(self, job: str, place: str) -> int | None:
        """Since when (ms) the job fails, at a place; None where it does not."""
        return number(self._redis.command("HGET", keys.failing(job), place))

    def queue(
        self, token: str, notice: Notice, place: str, policies: Sequence[Notify], decided: Decided
    ) -> bool:
        """Take a notice out, and queue what it comes to; False where another leads by now."""
        since = decided.failing_since_ms
        told = [
            notice.id,
            notice.job,
            place,
            "" if since is None else str(since),
            [
                [
                    f"{notice.id}-{n}",
                    policies[one.number].receiver,
                    _fields(notice, one, policies[one.number]),
                ]
                for n, one in enumerate(decided.deliveries)
            ],
        ]
        reply = self._redis.run(
            "notify",
            [keys.LEADER, keys.NOTICES, keys.DELIVERIES, keys.DELIVERING],
            [token, packed([told]), WAIT_AT_MOST, KEPT_S],
        )
        return bool(reply != b"fenced")

    def take(self, token: str, limit: int, lease_ms: int) -> list[Taken]:
        """Messages that are due, of each line the first; they are ours for a lease. Nothing where
        another leads by now."""
        reply = self._redis.run("take", [keys.LEADER, keys.DELIVERIES], [token, limit, lease_ms])
        return [] if reply == b"fenced" else [_taken(id, record(told)) for id, told in reply]

    def delivered(self, taken: Taken) -> bool:
        """It has arrived; False where another has it by now."""
        return self._end(taken, "", "")

    def not_delivered(self, taken: Taken, problem: str, again_in_s: float | None) -> bool:
        """It has not; with None it is not tried again."""
        delay = "" if again_in_s is None else round(again_in_s * 1000)
        return self._end(taken, delay, problem[:500] or "it failed")

    def _end(self, taken: Taken, delay: str | int, problem: str) -> bool:
        told = [taken.id, taken.attempt, delay, problem]
        return bool(self._redis.run("delivered", [keys.DELIVERIES, keys.DELIVERING], told))

    def waiting(self, limit: int = 100) -> list[Taken]:
        """The messages that wait, the next one first."""
        with self._redis.guard():
            found: Any = self._redis.client.zrange(keys.DELIVERIES, 0, limit - 1, withscores=True)
            pipeline = self._redis.client.pipeline(transaction=False)
            for id, _ in found:
                pipeline.hgetall(keys.delivery(id.decode()))
            told = pipeline.execute()
        return [
            _taken(id, record(fields), int(due))
            for (id, due), fields in zip(found, told, strict=True)
            if fields
        ]


def _fields(notice: Notice, delivery: Delivery, policy: Notify) -> list[str]:
    told = {
        "job": notice.job,
        "run": notice.run or "",
        "about": delivery.facts["about"],
        "to": policy.to,
        "policy": json.dumps(policy.spec()),
        "facts": json.dumps(dict(delivery.facts)),
    }
    return [text for pair in told.items() for text in pair]


def _taken(id: bytes, fields: dict[str, bytes], due_ms: int | None = None) -> Taken:
    return Taken(
        id=id.decode(),
        attempt=number(fields["attempt"]) or 0,
        made_at_ms=moment_ms(fields["made_at"]) or 0,
        job=fields["job"].decode(),
        run=text(fields.get("run")),
        about=fields["about"].decode(),
        to=fields["to"].decode(),
        policy=Notify.read(json.loads(fields["policy"]), "policy"),
        facts=json.loads(fields["facts"]),
        problem=text(fields.get("problem")),
        due_ms=due_ms,
    )


def _notice(id: bytes, fields: dict[str, bytes]) -> Notice:
    facts = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    return Notice(id=id.decode(), job=facts.pop("job"), at_ms=int(facts.pop("at")), facts=facts)
