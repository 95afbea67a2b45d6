"""The file of a worker's settings: TOML, with the options by name and a table `[allow]`."""

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jober.errors import DefinitionError
from jober_worker.options import OPTIONS, unknown_option

if TYPE_CHECKING:
    from jober_worker.allow import AllowList

DEFAULT_FILE = "/etc/jober/worker.toml"


class ConfigFile:
    """A file that was read. `path` is None, and there is nothing in it, where there is none."""

    def __init__(self, path: str | None, text: str) -> None:
        self.path = path
        self._text = text
        tables = _tables(text, path) if text else {}
        self._allow = tables.pop("allow", {})
        for name in tables:
            if name not in OPTIONS:
                raise self.place(unknown_option(name))
        self.values: dict[str, Any] = tables

    @cached_property
    def allow(self) -> "AllowList":
        """What the host runs at all. Raises DefinitionError."""
        from jober_worker.allow import read_allow  # here, as above

        try:
            return read_allow(self._allow, self.path)
        except DefinitionError as error:
            raise self.place(error) from None

    def place(self, error: DefinitionError) -> DefinitionError:
        """The error, told with the line of its field."""
        field = (error.field or "").rpartition(".")[2]
        found = re.search(rf'^\s*\[?"?{re.escape(field)}"?\s*[=\]]', self._text, re.MULTILINE)
        line = self._text.count("\n", 0, found.end()) + 1 if field and found else None
        error.file = f"{self.path}:{line}" if line else self.path
        return error


def _tables(text: str, path: str | None) -> dict[str, Any]:
    import tomllib  # here: the guardian loads this module, and is small

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"it is not TOML: {error}", file=path, mend="mend it there") from None


def read_config(given: str | None, default: str = DEFAULT_FILE) -> ConfigFile:
    """The file that was named, else the one of the host if there is one. Raises DefinitionError."""
    path = given or default
    try:
        with open(path, encoding="utf-8") as file:
            return ConfigFile(path, file.read())
    except FileNotFoundError:
        if given is None:
            return ConfigFile(None, "")
        raise DefinitionError("there is no such file", file=path, mend="see --config") from None
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise DefinitionError(f"it cannot be read: {problem}", file=path, mend="mend it") from None
