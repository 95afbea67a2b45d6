"""The keys that are believed, and what each may say."""

from collections.abc import Iterable
from dataclasses import replace

from jober.signing.key import Key
from jober.signing_errors import SigningError


class NotBelieved(SigningError):
    """A signature that does not count, and why."""


class Keyring:
    """Keys by their ids. Where one is told twice, it may what either says. Raises SigningError
    where one cannot be used here, or two are not the same and have one id."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys: dict[str, Key] = {}
        for key in keys:
            key.load()
            known = self._keys.get(key.id)
            if known is None:
                self._keys[key.id] = key
            elif not key.is_same(known):
                raise SigningError(f"two keys have the id {key.id}: take the wrong one away")
            else:
                self._keys[key.id] = replace(known, purposes=known.purposes | key.purposes)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def ids(self) -> list[str]:
        return sorted(self._keys)

    def may(self, id: str, purpose: str) -> bool:
        """Whether the key is there, and for that."""
        key = self._keys.get(id)
        return key is not None and key.may(purpose)

    def check(self, id: str, purpose: str, message: bytes, signature: str) -> None:
        """Raises NotBelieved where it is not a good signature by a key for that."""
        key = self._keys.get(id)
        if key is None:
            raise NotBelieved(f"key {id[:40]!r} is not trusted here")
        if not key.may(purpose):
            raise NotBelieved(f"key {id} may not {purpose}")
        if not key.verifies(message, signature):
            raise NotBelieved(f"it is not what key {id} has signed")
