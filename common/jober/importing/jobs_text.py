"""An import as the text of a jobs file, in TOML or YAML, with its comments.

Both write texts in double quotes with the same escapes, which mean the same in both; a text of
several lines stands as it is where every character of it can.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from jober.importing.imported import Imported, ImportedJob, Remark

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# What YAML reads as something else than text; a key of these is put in quotes.
_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def jobs_text(imported: Imported, format: Literal["toml", "yaml"]) -> str:
    """The text of the file, which `jober apply` takes as it stands."""
    lines = [*_comments(imported.header, ""), ""]
    lines += _toml(imported) if format == "toml" else _yaml(imported)
    return "\n".join(lines).rstrip("\n") + "\n"


def quoted(text: str) -> str:
    """The text in double quotes, the same in TOML and YAML.

    >>> print(quoted('say "hi"'), quoted("tab\\t"), quoted("C:\\\\"))
    "say \\"hi\\"" "tab\\t" "C:\\\\"
    """
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _comments(lines: tuple[str, ...], indent: str) -> list[str]:
    return [f"{indent}# {_shown(line)}".rstrip() for line in lines]


def _shown(line: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in line)


def _is_block(value: Any) -> bool:
    """Whether a text is better read, and can be written, line by line."""
    return (
        isinstance(value, str)
        and "\n" in value.strip("\n")
        and all(letter.isprintable() or letter in "\n\t" for letter in value)
    )


# TOML


def _toml(imported: Imported) -> list[str]:
    lines: list[str] = []
    if imported.defaults:
        lines.append("[defaults]")
        for field, (value, why) in imported.defaults.items():
            lines += _toml_field(field, value, why)
        lines.append("")
    if not imported.jobs:
        lines += ["[jobs]", ""]
    for part in imported.parts:
        if isinstance(part, Remark):
            lines += [*_comments(part.lines, ""), ""]
        else:
            lines += [*_comments(part.remarks, ""), f"[jobs.{part.name}]"]
            for field, value in part.fields.items():
                lines += _toml_field(field, value)
            lines.append("")
    return lines


def _toml_field(field: str, value: Any, why: str = "") -> Iterator[str]:
    comment = f"  # {_shown(why)}" if why else ""
    if isinstance(value, Mapping) and field == "env":
        if comment:
            yield comment.strip()
        for name, text in value.items():
            yield f"env.{_toml_key(name)} = {_toml_value(text)}"
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield f"{field} = [{comment}"
        for item in value:
            yield f"    {_toml_value(item)},"
        yield "]"
    elif _is_block(value):
        if comment:
            yield comment.strip()
        literal = "'''" not in value and not value.endswith("'")
        marks = "'''" if literal else '"""'
        yield f"{field} = {marks}"
        yield f"{value if literal else _in_long_quotes(value)}{marks}"
    else:
        yield f"{field} = {_toml_value(value)}{comment}"


def _in_long_quotes(value: str) -> str:
    text = value.replace("\\", "\\\\")
    return text.replace('"', '\\"') if '"""' in text or text.endswith('"') else text


def _toml_value(value: Any) -> str:
    if isinstance(value, str):
        awkward = ('"' in value or "\\" in value) and "'" not in value
        return f"'{value}'" if awkward and value.isprintable() else quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_toml_key(str(name))} = {_toml_value(item)}" for name, item in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return str(value)


def _toml_key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quoted(name)


# YAML


def _yaml(imported: Imported) -> list[str]:
    lines: list[str] = []
    if imported.defaults:
        lines.append("defaults:")
        for field, (value, why) in imported.defaults.items():
            lines += _yaml_field("  ", field, value, why)
        lines.append("")
    lines.append("jobs:" if imported.jobs else "jobs: {}")
    for part in imported.parts:
        if isinstance(part, Remark):
            lines += [*_comments(part.lines, "  "), ""]
        else:
            lines += _yaml_job(part)
    return lines


def _yaml_job(job: ImportedJob) -> list[str]:
    lines = [*_comments(job.remarks, "  "), f"  {_yaml_key(job.name)}:"]
    for field, value in job.fields.items():
        lines += _yaml_field("    ", field, value)
    return [*lines, ""]


def _yaml_field(indent: str, field: str, value: Any, why: str = "") -> Iterator[str]:
    comment = f"  # {_shown(why)}" if why else ""
    field = _yaml_key(field)
    if isinstance(value, Mapping):
        yield f"{indent}{field}:{comment}"
        for name, item in value.items():
            yield f"{indent}  {_yaml_key(str(name))}: {_yaml_value(item)}"
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield f"{indent}{field}:{comment}"
        for item in value:
            yield f"{indent}  - {_yaml_value(item)}"
    elif _is_block(value) and value[0] not in " \t\n" and not value.endswith("\n\n"):
        # `|` keeps one line end at the last, `|-` none.
        yield f"{indent}{field}: {'|' if value.endswith(chr(10)) else '|-'}{comment}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{indent}  {line}" if line else ""
    else:
        yield f"{indent}{field}: {_yaml_value(value)}{comment}"


def _yaml_value(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_yaml_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_yaml_key(str(name))}: {_yaml_value(item)}" for name, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    return str(value)


def _yaml_key(name: str) -> str:
    plain = _PLAIN_KEY.fullmatch(name) and name.lower() not in _YAML_WORDS
    return name if plain or name == "on" else quoted(name)
