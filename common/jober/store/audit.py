"""The audit log: who did what, from where, and what came of it."""

import re

from jober.access.audit import AuditEntry, AuditFilter, Outcome
from jober.access.who import Actor
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import packed, record

# So many lines are looked through for a page of those that are wanted, and so many at a time.
_LOOKED_THROUGH, _AT_A_TIME = 20_000, 1_000
_LONGEST = 300


def audit_line(
    actor: Actor, action: str, object: str, outcome: str = Outcome.DONE, detail: str = ""
) -> bytes:
    """A line as the scripts take it; each of its parts bounded, since some come from outside."""
    facts = {
        "who": actor.name,
        "via": actor.via,
        "from": actor.address,
        "action": action,
        "object": object,
        "outcome": str(outcome),
        "detail": detail,
    }
    told: list[str] = []
    for name, value in facts.items():
        if value:
            told += [name, value[:_LONGEST].encode("utf-8", "replace").decode()]
    return packed(told)


def is_entry_id(text: str) -> bool:
    """Whether it may be the id of a line: none has that of the very beginning."""
    return re.fullmatch(r"[0-9]{1,18}-[0-9]{1,18}", text) is not None and text.strip("0-") != ""


class AuditStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def note(self, actor: Actor, action: str, object: str, outcome: str, detail: str = "") -> None:
        """Note what somebody did, or tried."""
        line = audit_line(actor, action, object, outcome, detail)
        self._redis.run("audit", [keys.AUDIT], [line])

    def newest(
        self, limit: int, wanted: AuditFilter, before: str | None = None
    ) -> tuple[list[AuditEntry], str | None]:
        """The newest lines that are wanted, newest first, of those before the one with that id;
        and the id to go on before, None at the end of the log. There may be more though none was
        found: a call looks through a bounded part of the log."""
        found: list[AuditEntry] = []
        looked = 0
        last = before
        chunk = limit if wanted.is_empty else _AT_A_TIME
        while looked < _LOOKED_THROUGH:
            top = "+" if last is None else f"({last}"
            page = self._redis.command("XREVRANGE", keys.AUDIT, top, "-", "COUNT", chunk) or []
            for entry_id, pairs in page:
                entry = _entry(entry_id.decode(), record(pairs))
                last = entry.id
                if wanted.takes(entry):
                    found.append(entry)
                    if len(found) >= limit:
                        return found, last
            if len(page) < chunk:
                return found, None
            looked += len(page)
        return found, last


def _entry(id: str, fields: dict[str, bytes]) -> AuditEntry:
    facts = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    return AuditEntry(
        id=id,
        at_ms=int(id.split("-")[0]),
        who=facts.get("who", ""),
        via=facts.get("via", ""),
        address=facts.get("from", ""),
        action=facts.get("action", ""),
        object=facts.get("object", ""),
        outcome=facts.get("outcome", ""),
        detail=facts.get("detail", ""),
    )
