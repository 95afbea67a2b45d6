"""Secrets that a program keeps for somebody: 256 random bits, of which Redis has a hash alone.

They cannot be guessed, so that the hash need not be slow (as that of a password), and a hash is
found by itself: who looks one up learns nothing of others from how long it takes.
"""

import hashlib
import hmac
import secrets

_BYTES = 32
# No secret that was made here is longer; what is, is not even hashed.
LONGEST = 200


def new_secret() -> str:
    """43 characters of base64url."""
    return secrets.token_urlsafe(_BYTES)


def hashed(secret: str) -> str:
    """What is kept of it: its SHA-256, in hex."""
    return hashlib.sha256(secret[:LONGEST].encode("utf-8", "surrogatepass")).hexdigest()


def derived(secret: str, purpose: str) -> str:
    """Another secret out of this one, for one purpose; it does not tell the first (HMAC)."""
    key = secret[:LONGEST].encode("utf-8", "surrogatepass")
    return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Whether two texts are the same, without a word of how much of them is."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
