"""A batch in a file: JSON, YAML or TOML."""

import json
import os
from pathlib import Path
from typing import Any

from jober.batch.item import Item, read_items
from jober.errors import DefinitionError
from jober.jobs_file.document import SyntaxProblem
from jober.jobs_file.file_bytes import read_bytes
from jober.jobs_file.toml_document import load_toml
from jober.jobs_file.yaml_document import yaml_value


def read_batch(path: str | os.PathLike[str]) -> tuple[Item, ...]:
    """The items of the file at `path`: `.json`, `.yaml` or `.yml` with a list, or with a list below
    `jobs`; `.toml` with `[[jobs]]`. Raises DefinitionError."""
    name = os.fspath(path)
    data = read_bytes(name, "split it")
    try:
        value = _value(data.decode("utf-8-sig"), Path(name).suffix.lower(), name)
    except UnicodeDecodeError:
        raise DefinitionError("it is not UTF-8", file=name, mend="save it as UTF-8") from None
    except SyntaxProblem as error:
        raise error.within(file=f"{name}:{error.line}" if error.line else name) from None
    if isinstance(value, dict) and value.keys() == {"jobs"}:
        value = value["jobs"]
    return read_items(value, name)


def _value(text: str, suffix: str, name: str) -> Any:
    match suffix:
        case ".json":
            try:
                return json.loads(text)
            except json.JSONDecodeError as error:
                raise SyntaxProblem(f"it is not JSON: {error.msg}", line=error.lineno) from None
            except (ValueError, RecursionError) as error:
                raise SyntaxProblem(f"it is not JSON that can be read: {error}") from None
        case ".yaml" | ".yml":
            return yaml_value(text)
        case ".toml":
            return load_toml(text).tables
    raise DefinitionError(
        "its name does not tell what it is written in",
        file=name,
        mend="name it .json, .yaml, .yml or .toml",
    )
