"""Passwords: what is kept of one is its scrypt hash (RFC 7914), with the parameters that made it.

The text is `scrypt$<log2 n>$<r>$<p>$<salt>$<hash>`, both in base64. The parameters of new ones are
those that OWASP's Password Storage Cheat Sheet gives for 16 MiB; older ones are made anew at the
next log-in.
"""

import base64
import binascii
import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass

from jober.errors import DefinitionError

AT_LEAST, AT_MOST = 10, 1000
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a hash costs: 128 · n · r bytes, p times over."""

    log2_n: int
    r: int
    p: int

    @property
    def is_sane(self) -> bool:
        """Whether anybody may be made to pay it: what is kept may have been written by anybody."""
        return 1 <= self.log2_n <= 20 and 1 <= self.r <= 32 and 1 <= self.p <= 16


COST = Cost(log2_n=14, r=8, p=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordHash:
    """What is kept of a password."""

    cost: Cost
    salt: bytes
    hash: bytes

    @staticmethod
    def of(password: str, cost: Cost = COST) -> "PasswordHash":
        """A new one, with a salt of its own."""
        salt = os.urandom(16)
        return PasswordHash(cost=cost, salt=salt, hash=_scrypt(password, salt, cost))

    @staticmethod
    def read(text: str) -> "PasswordHash | None":
        """What was written by `str`; None for anything else."""
        kind, *parts = text.split("$")
        if kind != "scrypt" or len(parts) != 5:
            return None
        try:
            log2_n, r, p = (int(part) for part in parts[:3])
            salt, hash = (base64.b64decode(part, validate=True) for part in parts[3:])
        except (ValueError, binascii.Error):
            return None
        cost = Cost(log2_n=log2_n, r=r, p=p)
        if not cost.is_sane or len(hash) != _HASH_BYTES:
            return None
        return PasswordHash(cost=cost, salt=salt, hash=hash)

    def __str__(self) -> str:
        written = (base64.b64encode(one).decode() for one in (self.salt, self.hash))
        cost = self.cost
        return "$".join(["scrypt", str(cost.log2_n), str(cost.r), str(cost.p), *written])

    def is_of(self, password: str) -> bool:
        """Whether it is the hash of this password; a wrong one takes as long as the right one."""
        return hmac.compare_digest(_scrypt(password, self.salt, self.cost), self.hash)

    @property
    def is_outdated(self) -> bool:
        """Whether it cost less than new ones do."""
        return _work(self.cost) < _work(COST) or _memory(self.cost) < _memory(COST)


# The hash of no password: who names a user that there is none of waits as long as for a real one.
NOBODY = PasswordHash(cost=COST, salt=bytes(16), hash=bytes(_HASH_BYTES))


def check_password(password: str, user: str = "") -> str:
    """The password itself, or a DefinitionError, which does not tell it.

    Length is asked for and nothing else (NIST SP 800-63B): no letters of this kind or that."""
    problem = None
    if len(password) < AT_LEAST:
        problem = f"the password has {len(password)} characters"
    elif len(password) > AT_MOST:
        problem = f"the password has more than {AT_MOST} characters"
    elif len(set(password)) < 4:
        problem = "the password is the same few characters over and over"
    elif user and password.casefold() == user.casefold():
        problem = "the password is the name of the user"
    if problem:
        raise DefinitionError(
            problem, field="password", mend=f"at least {AT_LEAST} characters; several words do well"
        )
    return password


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    # As the same letters may be typed in two ways, on two keyboards.
    typed = unicodedata.normalize("NFKC", password[: AT_MOST + 1]).encode("utf-8", "surrogatepass")
    n = 1 << cost.log2_n
    return hashlib.scrypt(
        typed,
        salt=salt,
        n=n,
        r=cost.r,
        p=cost.p,
        maxmem=256 * n * cost.r + 1024 * 1024,
        dklen=_HASH_BYTES,
    )


def _work(cost: Cost) -> int:
    return (1 << cost.log2_n) * cost.r * cost.p


def _memory(cost: Cost) -> int:
    return (1 << cost.log2_n) * cost.r
