"""Who is told of what becomes of a job: the policies of its definition, and what they come to.

A notice is something that has become of a job; `decide` says to whom it goes, as deliveries, each
with the facts that its templates may name. All of it is pure.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from string import Template
from typing import Any, Self
from urllib.parse import urlsplit

from jober.clock import iso
from jober.errors import DefinitionError, did_you_mean
from jober.event import BAD
from jober.run import Run, RunState

# What one may be told of, and what it is.
WHEN = {
    "failure": "a run ended badly, and the one before did not",
    "every-failure": "a run ended badly",
    "recovery": "a run was a success, and the one before ended badly",
    "missed": "a fire made no run, or its run was not started in time",
    "slow": "a run took longer than usual",
}
FIELDS = ("on", "webhook", "mail", "secret", "subject", "text", "body", "over")
# What templates may name.
NAMES = (
    *("about", "job", "title", "run", "state", "reason", "host", "exit_code", "at"),
    *("fire_at", "count", "started_at", "duration", "usual"),
)
SUBJECT = "jober: $job: $about"
TEXT = "$about of job $job\n\nrun: $run\nstate: $state\nhost: $host\nreason: $reason\nat: $at\n"
# The usual is known from so many successes, and a run is no slower by less than this.
USUAL_OF, SLOWER_S = 5, 1.0
_SECRET = re.compile(
    r"(secret:)?(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|credential:[A-Za-z0-9_][A-Za-z0-9_.@-]*)",
    re.DOTALL,
)
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")
# A message that cannot be delivered is tried again after 10 s, 20 s, … up to an hour, for a day.
FIRST_DELAY_S, LONGEST_DELAY_S, GIVEN_UP_S = 10.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """One table of `notify`: on what, and where to. Either `webhook` or `mail` is given."""

    on: tuple[str, ...]
    webhook: str | None = None
    mail: tuple[str, ...] = ()
    secret: str | None = None
    subject: str = SUBJECT
    text: str = TEXT
    body: Mapping[str, Any] | None = None
    over: float = 2.0

    @classmethod
    def read(cls, told: Any, where: str) -> Self:
        """Of a table of a definition. Raises DefinitionError, with the field below `where`."""
        if not isinstance(told, Mapping):
            raise _wrong(where, told, "it is no table", 'notify = [{ on = ["failure"], … }]')
        for key in told:
            if key not in FIELDS:
                raise _wrong(
                    where, key, f"unknown field {key!r:.60}{did_you_mean(str(key), FIELDS)}"
                )
        on = told.get("on", ["failure", "recovery", "missed"])
        for word in _texts(on, f"{where}.on"):
            if word not in WHEN:
                near = did_you_mean(word, WHEN)
                raise _wrong(f"{where}.on", word, f"{word!r:.60} is nothing to be told of{near}")
        if ("webhook" in told) == ("mail" in told):
            raise _wrong(where, None, "it takes either webhook or mail", 'webhook = "https://…"')
        for field in ("secret", "body"):
            if field in told and "webhook" not in told:
                raise _wrong(f"{where}.{field}", told[field], "it is of a webhook")
        for field in ("subject", "text"):
            if field in told and "mail" not in told:
                raise _wrong(f"{where}.{field}", told[field], "it is of a mail", "body = { … }")
            if field in told:
                _check_template(told[field], f"{where}.{field}")
        over = told.get("over", 2)
        if isinstance(over, bool) or not isinstance(over, int | float) or not 1 < over <= 1000:
            raise _wrong(f"{where}.over", over, "it is no factor above 1, at most 1000", "over = 2")
        if "body" in told:
            if not isinstance(told["body"], Mapping):
                raise _wrong(
                    f"{where}.body", told["body"], "it is no table", 'body = { text = "$job" }'
                )
            _check_body(told["body"], f"{where}.body")
        return cls(
            on=tuple(on),
            webhook=_webhook(told["webhook"], f"{where}.webhook") if "webhook" in told else None,
            mail=_mail(told["mail"], f"{where}.mail") if "mail" in told else (),
            secret=_secret(told["secret"], f"{where}.secret") if "secret" in told else None,
            subject=told.get("subject", SUBJECT),
            text=told.get("text", TEXT),
            body=told.get("body"),
            over=float(over),
        )

    def spec(self) -> dict[str, Any]:
        """What `read` makes the same of."""
        told: dict[str, Any] = {"on": list(self.on), "over": self.over}
        if self.mail:
            told |= {"mail": list(self.mail), "subject": self.subject, "text": self.text}
        else:
            told |= {"webhook": self.webhook, "secret": self.secret, "body": self.body}
        return {name: value for name, value in told.items() if value is not None}

    @property
    def to(self) -> str:
        """To whom, as it may be shown: of an address its host alone."""
        if self.webhook is None:
            return ", ".join(self.mail)
        return urlsplit(self.webhook).hostname or self.webhook

    @property
    def receiver(self) -> str:
        """Where it goes: messages of a job arrive there in order."""
        return ",".join(self.mail) if self.webhook is None else self.webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that has become of a job, as scripts tell it; `id` is its place among them."""

    id: str
    job: str
    at_ms: int
    facts: Mapping[str, str]

    @property
    def run(self) -> str | None:
        return self.facts.get("run")

    @property
    def state(self) -> str:
        """That of the run; of a fire that made none, `missed`."""
        return self.facts.get("state", str(RunState.MISSED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one place: `about` is one of WHEN, `number` which policy says so."""

    about: str
    number: int
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a notice comes to: the deliveries, and since when the job fails, if it does."""

    deliveries: tuple[Delivery, ...]
    failing_since_ms: int | None


def decide(
    notice: Notice,
    policies: Sequence[Notify],
    title: str,
    failing_since_ms: int | None,
    run: Run | None,
    usual_s: float | None,
) -> Decided:
    """To whom a notice goes. `run` is its run, if that is known; `usual_s` what one takes."""
    bad, good = notice.state in BAD, notice.state == RunState.SUCCESS
    failing = failing_since_ms is not None
    duration_s = run.duration_s if run else None
    about = set()
    if bad:
        about |= {"every-failure"} if failing else {"failure", "every-failure"}
    if good and failing:
        about.add("recovery")
    if notice.state == RunState.MISSED:
        about.add("missed")
    facts = _facts(notice, title, run, duration_s, usual_s)
    deliveries = []
    for number, policy in enumerate(policies):
        wanted = [word for word in WHEN if word in policy.on and word in about]
        if "every-failure" in wanted and "failure" in wanted:
            wanted.remove("failure")  # one message of one end
        if "slow" in policy.on and is_slow(duration_s, usual_s, policy.over):
            wanted.append("slow")
        deliveries += [
            Delivery(
                about=word, number=number, facts={**facts, "about": word.removeprefix("every-")}
            )
            for word in wanted
        ]
    since = notice.at_ms if bad and not failing else None if good else failing_since_ms
    return Decided(deliveries=tuple(deliveries), failing_since_ms=since)


def is_slow(duration_s: float | None, usual_s: float | None, over: float) -> bool:
    """Whether a run took `over` times as long as usual, and a second more at least."""
    if duration_s is None or usual_s is None:
        return False
    return duration_s > usual_s * over and duration_s - usual_s >= SLOWER_S


def usual_s(run: Run, earlier: Sequence[Run]) -> float | None:
    """How long a run usually takes, by the successes before it; None of fewer than five."""
    took = [
        one.duration_s
        for one in earlier
        if one.id != run.id and one.state is RunState.SUCCESS and one.duration_s is not None
    ]
    return median(took) if len(took) >= USUAL_OF else None


def rendered(template: str, facts: Mapping[str, str]) -> str:
    """A template with the facts in it; what is not known is nothing."""
    return Template(template).safe_substitute({name: facts.get(name, "") for name in NAMES})


def rendered_body(policy: Notify, facts: Mapping[str, str]) -> bytes:
    """The JSON that a webhook gets: the facts, or the policy's own body with facts in its texts."""
    value = {name: facts[name] for name in NAMES if facts.get(name)}
    told = value if policy.body is None else _filled(policy.body, facts)
    return json.dumps(told, ensure_ascii=False).encode()


def retry_delay_s(attempt: int, age_s: float) -> float | None:
    """After how many seconds a delivery is tried again whose attempt failed; None for no more."""
    if age_s >= GIVEN_UP_S:
        return None
    return min(LONGEST_DELAY_S, FIRST_DELAY_S * float(2 ** min(attempt - 1, 20)))


def _facts(
    notice: Notice, title: str, run: Run | None, duration_s: float | None, usual: float | None
) -> dict[str, str]:
    known = {name: notice.facts[name] for name in NAMES if notice.facts.get(name)}
    known |= {"job": notice.job, "state": notice.state, "at": str(iso(notice.at_ms))}
    if title:
        known["title"] = title
    if run is not None and run.started_at_ms is not None:
        known["started_at"] = str(iso(run.started_at_ms))
    if duration_s is not None:
        known["duration"] = f"{duration_s:.3f}"
    if usual is not None:
        known["usual"] = f"{usual:.3f}"
    return known


def _filled(value: Any, facts: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return rendered(value, facts)
    if isinstance(value, Mapping):
        return {key: _filled(one, facts) for key, one in value.items()}
    return [_filled(one, facts) for one in value] if isinstance(value, list) else value


def _check_body(value: Any, where: str) -> None:
    if isinstance(value, str):
        _check_template(value, where)
    for one in value.values() if isinstance(value, Mapping) else ():
        _check_body(one, where)
    for one in value if isinstance(value, list) else ():
        _check_body(one, where)


def _check_template(text: Any, where: str) -> None:
    if not isinstance(text, str):
        raise _wrong(where, text, "it is no text")
    template = Template(text)
    if not template.is_valid():
        raise _wrong(where, text, "a $ stands alone in it", "write $$ for one")
    for name in template.get_identifiers():
        if name not in NAMES:
            near = did_you_mean(name, NAMES)
            raise _wrong(
                where, name, f"${name} is not known{near}", f"there are ${', $'.join(NAMES)}"
            )


def _webhook(address: Any, where: str) -> str:
    if isinstance(address, str) and _SECRET.fullmatch(address):
        return address
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
        good = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
        good = good and (parts is None or parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or any(c.isspace() or not c.isprintable() for c in address):
        raise _wrong(
            where,
            address,
            "it is no address",
            'webhook = "https://…", or "env:NAME" to keep it secret',
        )
    return str(address)


def _mail(addresses: Any, where: str) -> tuple[str, ...]:
    texts = _texts([addresses] if isinstance(addresses, str) else addresses, where)
    for address in texts:
        if not _ADDRESS.fullmatch(address) or not address.isascii():
            raise _wrong(
                where, address, f"{address!r:.60} is no address", 'mail = ["ops@example.org"]'
            )
    return texts


def _secret(secret: Any, where: str) -> str:
    if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
        raise _wrong(
            where,
            None,  # it may be the secret itself
            "a secret does not stand in a definition",
            'name where the host of the scheduler has it: "env:NAME" or "file:/path"',
        )
    return secret


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(x, str) for x in value)
    ):
        raise _wrong(where, value, "it is no list of texts")
    return tuple(value)


def _wrong(where: str, value: Any, problem: str, mend: str | None = None) -> DefinitionError:
    return DefinitionError(problem, field=where, value=value, mend=mend)
