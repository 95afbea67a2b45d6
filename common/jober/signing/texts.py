"""What is signed, byte for byte, and the texts that stand in Redis for it.

Each is one line of words. What a signature covers and the line does not say is known to both ends:
who verifies puts in what is there to be executed, so that nothing else than that was signed.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from jober.signing.keyring import NotBelieved

# A word that says nothing.
_NONE = "-"
_AT_MOST = 2000
# A person has sent the run to its host by name.
_ASKED = "asked"
# What a seal is of.
JOB, RUN, CLEANUP = "job", "run", "cleanup"
_SEALS = (JOB, RUN, CLEANUP)


# What of a definition is sealed beside what its runs do, for whom, and how (data, queue, options).
# It stands in Redis beside what changes by itself: whether it is paused, how far it has fired. From
# when on intervals count (`anchor`) is sealed too, since their fires are made of it.
SEALED = (
    *("schema", "spec", "schedule", "policy", "description", "timeout", "overlap", "calendars"),
    *("fleet_limit", "host_limit", "limits", "weight", "priority", "ahead", "service"),
    *("expires", "keep_runs", "keep_s", "cleanup", "volatile", "protected", "notify"),
    *("waits", "before", "on_success", "on_failure", "noted", "listed"),
    "anchor",
)


def rest_of(fields: Mapping[str, str]) -> str:
    """What stands for these of a definition. What is empty is as if it was not there, so that a
    version which keeps more makes the same of what was sealed before."""
    return digest(_joined(*(f"{name}={fields[name]}" for name in SEALED if fields.get(name))))


def digest(data: bytes | str) -> str:
    """What stands for data in what is signed."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return hashlib.sha256(raw).hexdigest()


def _joined(*parts: str) -> bytes:
    """Each part with its length before it, so that no two lists make the same bytes."""
    return b"".join(
        b"%d:%s\n" % (len(one), one)
        for one in (part.encode("utf-8", "surrogateescape") for part in parts)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What may run, signed at a moment (ms) for the hosts that a `queue` asks for: any run of a
    "job", one "run" with parameters of its own, or what "cleanup" calls. `rest` stands for all else
    that Redis keeps of a definition."""

    of: str
    key: str
    at_ms: int
    queue: str
    rest: str
    signature: str

    @staticmethod
    def message(
        subject: str, at_ms: int, queue: str, data: bytes | str, options: str, rest: str
    ) -> bytes:
        """`subject` is as `of_job`, `of_run` or `of_cleanup` tell it."""
        told = (subject, str(at_ms), queue, digest(data), digest(options), rest)
        return _joined("jober seal 1", *told)

    def line(self) -> str:
        words = f"{self.queue} {self.rest or _NONE} {self.signature}"
        return f"{self.of} {self.key} {self.at_ms} {words}"

    @classmethod
    def read(cls, line: str) -> Self:
        """Raises NotBelieved."""
        words = line.split(" ")
        if (
            len(line) > _AT_MOST
            or len(words) != 6
            or words[0] not in _SEALS
            or not _number(words[2])
        ):
            raise NotBelieved("its seal cannot be read")
        of, key, at, queue, rest, signature = words
        return cls(
            of=of,
            key=key,
            at_ms=int(at),
            queue=queue,
            rest="" if rest == _NONE else rest,
            signature=signature,
        )


def of_job(name: str) -> str:
    """Any run of the job, as it is defined."""
    return f"{JOB} {name}"


def of_run(id: str, job: str) -> str:
    """This one run of the job, and no other."""
    return f"{RUN} {id} {job}"


def of_cleanup(name: str) -> str:
    """What is called for a run of the job that is deleted."""
    return f"{CLEANUP} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """That a run is to be run, signed at a moment (ms) and good until another; by what was sealed
    at `since_ms` or later, so that no older seal takes its place: that of the job (`of` is JOB), or
    the very one that the run has of its own (`of` stands for it). With a `host`, it is for that one
    alone; where that was `asked` for by its name, whichever roles it has. `filled` stands for the
    arguments where results were put into them."""

    key: str
    at_ms: int
    until_ms: int
    since_ms: int
    of: str
    host: str
    asked: bool
    filled: str
    signature: str

    @staticmethod
    def message(
        run: str,
        job: str,
        fire_at: str,
        term: str,
        *,
        at_ms: int,
        until_ms: int,
        since_ms: int,
        of: str,
        host: str,
        asked: bool,
        filled: str,
    ) -> bytes:
        numbers = (str(at_ms), str(until_ms), str(since_ms))
        told = (*numbers, of, host, _ASKED if asked else "", filled)
        return _joined("jober order 2", run, job, fire_at, term, *told)

    def message_of(self, run: str, job: str, fire_at: str, term: str) -> bytes:
        """What it signs, where it is of that run."""
        return self.message(
            run,
            job,
            fire_at,
            term,
            at_ms=self.at_ms,
            until_ms=self.until_ms,
            since_ms=self.since_ms,
            of=self.of,
            host=self.host,
            asked=self.asked,
            filled=self.filled,
        )

    def line(self) -> str:
        numbers = f"{self.at_ms} {self.until_ms} {self.since_ms}"
        where = f"{self.host or _NONE} {_ASKED if self.asked else _NONE}"
        words = f"{self.of} {where} {self.filled or _NONE}"
        return f"2 {self.key} {numbers} {words} {self.signature}"

    @classmethod
    def read(cls, line: str) -> Self:
        """Raises NotBelieved."""
        words = line.split(" ")
        if len(line) > _AT_MOST or len(words) != 10 or words[0] != "2":
            raise NotBelieved("its order cannot be read")
        _, key, at, until, since, of, host, asked, filled, signature = words
        if not all(map(_number, (at, until, since))) or asked not in (_NONE, _ASKED):
            raise NotBelieved("its order cannot be read")
        return cls(
            key=key,
            at_ms=int(at),
            until_ms=int(until),
            since_ms=int(since),
            of=of,
            host="" if host == _NONE else host,
            asked=asked == _ASKED,
            filled="" if filled == _NONE else filled,
            signature=signature,
        )


def _number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) <= 15
