"""Who may say what runs, and when: definitions and runs are signed, and agents believe keys alone.

A *seal* says what may run: it covers all that Redis keeps of a definition, or, where a call has
parameters of its own, what that one run does. An *order* says that a run is to be run: its id, its
host, its fire, until when. `key` signs and verifies, `key_file` reads and checks files of keys,
`keyring` is who is believed, `texts` what is signed, byte for byte; `signing` has all of it for who
writes to Redis, and `judge` for who executes. Pure, but for `key_file`.
"""

from jober.signing.judge import Granted, Judge, Presented
from jober.signing.key import DEFINE, FIRE, PURPOSES, Key, new_key
from jober.signing.keyring import Keyring
from jober.signing.signing import Signing, read_signing
from jober.signing.texts import Order, Seal, digest

__all__ = [
    "DEFINE",
    "FIRE",
    "PURPOSES",
    "Granted",
    "Judge",
    "Key",
    "Keyring",
    "Order",
    "Presented",
    "Seal",
    "Signing",
    "digest",
    "new_key",
    "read_signing",
]
