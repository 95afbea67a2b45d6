"""Reading the members of a JSON object: each has to be there, and of its kind, and no other."""

from collections.abc import Mapping
from typing import Any

from jober.errors import BackupError

# What a double holds exactly, as Redis's scripts have numbers.
_LARGEST = 2**53
# The year 9999: what has a text of its own.
_LAST_MOMENT_MS = 253_402_300_799_999


class Members:
    """The members of one object, called `where` in errors. All raise BackupError."""

    def __init__(self, told: Mapping[str, Any], where: str) -> None:
        self._told = told
        self._where = where
        self._asked: set[str] = set()

    def text(self, name: str) -> str:
        return str(self._get(name, str, "text"))

    def flag(self, name: str) -> bool:
        return bool(self._get(name, bool, "true or false"))

    def whole(self, name: str) -> int:
        number = self._get(name, int, "a whole number")
        if isinstance(number, bool) or not 0 <= number <= _LARGEST:
            raise self._wrong(name, "a whole number, 0 or more")
        return int(number)

    def moment(self, name: str) -> int:
        """Milliseconds since the epoch."""
        moment = self.whole(name)
        if moment > _LAST_MOMENT_MS:
            raise self._wrong(name, "a moment up to the year 9999, in milliseconds")
        return moment

    def table(self, name: str) -> dict[str, Any]:
        return dict(self._get(name, dict, "an object"))

    def table_or_none(self, name: str) -> dict[str, Any]:
        """The same; without members where it is not there."""
        return self.table(name) if name in self._told else {}

    def tables(self, name: str) -> list[dict[str, Any]]:
        return self._list(name, dict, "a list of objects")

    def texts(self, name: str) -> list[str]:
        return self._list(name, str, "a list of texts")

    def is_null(self, name: str) -> bool:
        self._asked.add(name)
        return name in self._told and self._told[name] is None

    def all_text(self) -> dict[str, str]:
        """All of them, each a text."""
        return {name: self.text(name) for name in self._told}

    def end(self) -> None:
        """What was not asked for is not known."""
        for name in self._told.keys() - self._asked:
            raise BackupError(f"{self._where}: '{name[:100]}' is not known in it")

    def _list(self, name: str, kind: type, wanted: str) -> list[Any]:
        found = self._get(name, list, wanted)
        if not all(isinstance(item, kind) for item in found):
            raise self._wrong(name, wanted)
        return list(found)

    def _get(self, name: str, kind: type, wanted: str) -> Any:
        self._asked.add(name)
        if name not in self._told:
            raise BackupError(f"{self._where}: '{name}' is missing")
        if not isinstance(self._told[name], kind):
            raise self._wrong(name, wanted)
        return self._told[name]

    def _wrong(self, name: str, wanted: str) -> BackupError:
        return BackupError(f"{self._where}: {name[:100]} is not {wanted}")
