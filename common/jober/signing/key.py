"""A key: what it may say, how it signs, and the line of text that it is kept as.

    jober-key-1 ed25519 private 4f2a90c1be77 define,fire <base64>

`private` and `public` are the two halves of an Ed25519 key; an HMAC key has one, its `secret`, and
whoever can verify by it can sign by it. The id is made of the key itself.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from jober.signing_errors import SigningError

FORMAT = "jober-key-1"
# What a key may say: what runs, and that it is to be run now.
DEFINE, FIRE = "define", "fire"
PURPOSES = (DEFINE, FIRE)
ED25519, HMAC = "ed25519", "hmac"
KINDS = (ED25519, HMAC)
_HALVES = {ED25519: ("private", "public"), HMAC: ("secret",)}
_BYTES = 32
_ID_LETTERS = 12


@dataclass(frozen=True, kw_only=True)
class Key:
    """`half` is what of it is known here: private, public, or (of HMAC) secret."""

    id: str
    kind: str
    half: str
    purposes: frozenset[str]
    value: bytes = field(repr=False)

    @property
    def can_sign(self) -> bool:
        return self.half != "public"

    def may(self, purpose: str) -> bool:
        return purpose in self.purposes

    def is_same(self, other: "Key") -> bool:
        """Whether they are halves of one key, or one key, whatever each may say."""
        return self.kind == other.kind and self._public_bytes == other._public_bytes

    def sign(self, message: bytes) -> str:
        """The signature, in base64. Raises SigningError where it is the public half."""
        if self.kind == HMAC:
            return b64encode(hmac.digest(self.value, message, "sha256")).decode()
        if not self.can_sign:
            raise SigningError(f"key {self.id} is the public half, which signs nothing")
        return b64encode(self._of_private.sign(message)).decode()

    def verifies(self, message: bytes, signature: str) -> bool:
        """Whether that is its signature of the message."""
        try:
            given = b64decode(signature, validate=True)
        except ValueError:
            return False
        if self.kind == HMAC:
            return hmac.compare_digest(hmac.digest(self.value, message, "sha256"), given)
        try:
            self._of_public.verify(given, message)
        except _invalid_signature():
            return False
        return True

    def load(self) -> None:
        """Raises SigningError where it cannot be used, for want of a package."""
        if self.kind == ED25519:
            _ed25519()

    def public(self, purposes: Collection[str] | None = None) -> Self:
        """What agents are given: the public half, for fewer purposes where some are named. Raises
        SigningError for an HMAC key, which has none."""
        if self.kind == HMAC:
            raise SigningError(
                f"key {self.id} is an HMAC key, which has no public half: agents are given the "
                "file itself (or make an Ed25519 key: jober key new --type ed25519 FILE)"
            )
        wanted = self.purposes if purposes is None else self.purposes & frozenset(purposes)
        return type(self)(
            id=self.id, kind=self.kind, half="public", purposes=wanted, value=self._public_bytes
        )

    def line(self) -> str:
        """As `read_key` reads it."""
        told = ",".join(purpose for purpose in PURPOSES if purpose in self.purposes)
        return f"{FORMAT} {self.kind} {self.half} {self.id} {told} {b64encode(self.value).decode()}"

    @cached_property
    def _public_bytes(self) -> bytes:
        if self.half != "private":
            return self.value
        told: bytes = self._of_private.public_key().public_bytes_raw()
        return told

    @cached_property
    def _of_private(self) -> Any:
        return _ed25519().Ed25519PrivateKey.from_private_bytes(self.value)

    @cached_property
    def _of_public(self) -> Any:
        return _ed25519().Ed25519PublicKey.from_public_bytes(self._public_bytes)


def new_key(kind: str, purposes: Collection[str] = PURPOSES) -> Key:
    """A key that nobody has yet. Raises SigningError."""
    if kind not in KINDS:
        raise SigningError(f"there is no type '{kind}' of keys (one of {', '.join(KINDS)})")
    half = _HALVES[kind][0]
    return _made(kind, half, frozenset(purposes), secrets.token_bytes(_BYTES))


def read_key(line: str) -> Key:
    """The key of a line. Raises SigningError, which never holds the key."""
    words = line.split()
    if len(words) != 6 or words[0] != FORMAT:
        raise SigningError(f"it is no key: a line has six words, the first {FORMAT}")
    _, kind, half, id, told, value = words
    purposes = frozenset(told.split(","))
    if half not in _HALVES.get(kind, ()):
        raise SigningError(f"there is no {half} half of a key of type '{kind}'")
    if not purposes <= frozenset(PURPOSES):
        raise SigningError(f"'{told}' are no purposes of a key (of {', '.join(PURPOSES)})")
    try:
        decoded = b64decode(value, validate=True)
    except ValueError:
        decoded = b""
    if len(decoded) != _BYTES:
        raise SigningError(f"the key itself is not {_BYTES} bytes in base64")
    key = _made(kind, half, purposes, decoded)
    if key.id != id:
        raise SigningError(f"it is named {id}, and is key {key.id}: the line was changed")
    return key


def _made(kind: str, half: str, purposes: frozenset[str], value: bytes) -> Key:
    if not purposes:
        raise SigningError(f"a key is for something: {', '.join(PURPOSES)}, or both")
    unnamed = Key(id="", kind=kind, half=half, purposes=purposes, value=value)
    told = value if kind == HMAC else unnamed._public_bytes
    # Of its kind too: no public half has the id of a secret.
    id = hashlib.sha256(f"jober key id\0{kind}\0".encode() + told).hexdigest()[:_ID_LETTERS]
    return Key(id=id, kind=kind, half=half, purposes=purposes, value=value)


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise SigningError(
            "Ed25519 keys need the package cryptography (pip install 'jober[sign]')"
        ) from None
    return ed25519


def _invalid_signature() -> type[Exception]:
    from cryptography.exceptions import InvalidSignature

    return InvalidSignature
