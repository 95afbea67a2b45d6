"""Where a `Jober` is: at a Redis, or in a folder. Pure."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from jober.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class InFolder:
    """A folder that programs share; None is a temporary one."""

    path: str | None


def read_where(where: object, environ: Mapping[str, str]) -> str | InFolder:
    """The address of a Redis, or a folder. Raises DefinitionError.

    A text is an address where it has a `://`, and a folder where it can be told from a name: with
    a `/` in it, or a dot or `~` at its beginning.
    """
    if where is None:
        url = environ.get("JOBER_REDIS_URL")
        if url is None and "JOBER_RUN_ID" in environ:
            raise DefinitionError(
                "this is inside a run, and nothing says which Redis it is of",
                field="where",
                mend="Jober('redis://…'), or give the run JOBER_REDIS_URL in its env",
            )
        return InFolder(None) if url is None else url
    path = os.fspath(where) if isinstance(where, os.PathLike) else where
    if not isinstance(path, str) or not path or "\0" in path:
        raise DefinitionError(
            f"{where!r:.60} is no address and no folder",
            field="where",
            value=where,
            mend="Jober('redis://host:6379/0'), or Jober('./state')",
        )
    if isinstance(where, os.PathLike):
        return InFolder(path)
    if "://" in path:
        return path
    if os.sep not in path and not path.startswith((".", "~")):
        raise DefinitionError(
            f"'{path:.60}' may be an address or a folder",
            field="where",
            value=where,
            mend=f"Jober('redis://{path:.60}') for Redis, or Jober('./{path:.60}') for a folder",
        )
    return InFolder(path)
