"""Secrets are masked: what a run writes, returns or raises shows `***` where the value stood.

A value that is written in several pieces is masked too: the end of a piece that may be the
beginning of a secret is held back until the next piece, or the end, shows what it is. Nothing
else is held back, so that a prompt appears at once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from jober.output import Stream
from jober.run import Outcome
from jober_worker.functions import Data, Writer

MASK = "***"
# A shorter value would be found everywhere, and the mask would tell it.
SHORTEST = 4


class Masking:
    """Masks the values of the variables `names`; `too_short` names those that it does not mask.

    Where several values could begin at one place, the longest is masked; what a mask covers
    begins no other.
    """

    def __init__(self, names: Iterable[str], environment: Mapping[str, str]) -> None:
        given = {name: environment.get(name, "") for name in names}
        self.too_short = sorted(name for name, value in given.items() if 0 < len(value) < SHORTEST)
        values = {value for value in given.values() if len(value) >= SHORTEST}
        # As os.environ carries what is no UTF-8.
        secrets = [value.encode("utf-8", "surrogateescape") for value in values]
        self._secrets = sorted(secrets, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._secrets)))

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return bool(self._secrets)

    def text(self, text: str) -> str:
        """A whole text; where it was cut short within a secret, that end is masked too."""
        if not self:
            return text
        done, held = self.take(text.encode("utf-8", "surrogatepass"))
        end = MASK.encode() if len(held) >= SHORTEST else held
        return (done + end).decode("utf-8", "surrogatepass")

    def value(self, value: Any) -> Any:
        """A JSON value, with each text in it masked, the names of its fields too."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(one) for one in value]
            case dict():
                return {self.text(str(name)): self.value(one) for name, one in value.items()}
        return value

    def outcome(self, outcome: Outcome) -> Outcome:
        if not self:
            return outcome
        return replace(
            outcome,
            reason=None if outcome.reason is None else self.text(outcome.reason),
            traceback=None if outcome.traceback is None else self.text(outcome.traceback),
            return_value=self.value(outcome.return_value),
        )

    def whole(self, data: bytes) -> bytes:
        """All of what there is."""
        return self._pattern.sub(MASK.encode(), data)

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """What is certain of `data`, masked, and the rest, which may become a secret."""
        held = self._held_from(data, 0)
        done: list[bytes] = []
        at = 0
        for found in self._pattern.finditer(data):
            if found.start() >= held:
                # It may be the beginning of a longer one.
                break
            done += (data[at : found.start()], MASK.encode())
            at = found.end()
            if at > held:
                held = self._held_from(data, at)
        return b"".join((*done, data[at:held])), data[held:]

    def _held_from(self, data: bytes, start: int) -> int:
        """Where the longest end of `data[start:]` begins that is the beginning of a secret."""
        first = len(data)
        for secret in self._secrets:
            at = max(start, len(data) - len(secret) + 1) - 1
            while 0 <= (at := data.find(secret[:1], at + 1)) < first:
                if secret.startswith(data[at:]):
                    first = at
        return first


class MaskedWriter:
    """Passes masked bytes on to `write`, each stream for itself. Not to be shared by threads."""

    def __init__(self, masking: Masking, write: Writer) -> None:
        self._masking = masking
        self._write = write
        self._held: dict[Stream, bytes] = {}

    def write(self, stream: Stream, data: Data) -> None:
        done, held = self._masking.take(self._held.pop(stream, b"") + bytes(data))
        if held:
            self._held[stream] = held
        if done:
            self._write(stream, done)

    def end(self) -> None:
        """Nothing more comes: what was held back is no secret, or one that is whole."""
        for stream, held in self._held.items():
            self._write(stream, self._masking.whole(held))
        self._held.clear()
