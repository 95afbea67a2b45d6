"""YAML, read by PyYAML's safe loader as YAML 1.2 has it where 1.1 would surprise.

In YAML 1.1 `on:` is the key true, `12:30` the number 750, `010` is 8 and `1e3` a text; and
no key may be written twice, which PyYAML does not look after.
"""

import re
from functools import cache, partial
from typing import Any

import yaml

from jober.jobs_file.document import Document, Place, SyntaxProblem

_MERGES_AT_MOST = 100
_FIELDS_AT_MOST = 10_000
_PREFIX = "tag:yaml.org,2002:"
_OF_YAML_1_1 = {f"{_PREFIX}{kind}" for kind in ("bool", "int", "float", "value")}


class _Loader(yaml.SafeLoader):
    """The safe loader, with the core schema's scalars."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, value in node.value:
            many = isinstance(value, yaml.SequenceNode) and len(value.value) > _MERGES_AT_MOST
            if key.tag == f"{_PREFIX}merge" and many:
                raise _marked(f"more than {_MERGES_AT_MOST} tables are merged", node)
        super().flatten_mapping(node)
        if len(node.value) > _FIELDS_AT_MOST and not _is_plain(node):
            raise _marked(f"merged, the table has more than {_FIELDS_AT_MOST} keys", node)

    def construct_core_int(self, node: yaml.ScalarNode) -> int:
        text = node.value
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text.removeprefix("0o") if base == 8 else text, base)

    def construct_core_float(self, node: yaml.ScalarNode) -> float:
        return float(node.value.lower().replace(".inf", "inf").replace(".nan", "nan"))

    def construct_moment(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError) as error:
            raise _marked(f"'{node.value}' is not a date: {error}", node) from None


def load_yaml(text: str) -> Document:
    """The document, or a SyntaxProblem."""
    root, tables = _loaded(text)
    if root is None:
        return Document(tables={}, lines=dict)
    if not isinstance(tables, dict):
        raise SyntaxProblem("it is not a table", line=1, mend="begin with `jobs:`")
    return Document(tables=tables, lines=cache(partial(_lines, root)))


def yaml_value(text: str) -> Any:
    """What the text stands for, or a SyntaxProblem."""
    return _loaded(text)[1]


def _loaded(text: str) -> tuple[yaml.Node | None, Any]:
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None, None
            _refuse_duplicates(root)
            return root, loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = ", ".join(part for part in (error.context, error.problem) if part)
        raise SyntaxProblem(
            f"it is not YAML that can be read: {told}",
            line=mark.line + 1 if mark else None,
            mend=f"see column {mark.column + 1}" if mark else None,
        ) from None
    except yaml.reader.ReaderError as error:
        raise SyntaxProblem(
            f"it holds a character that YAML does not allow: U+{error.character:04X}",
            line=text.count("\n", 0, error.position) + 1,
        ) from None
    except RecursionError:
        raise SyntaxProblem("it is nested too deeply", mend="a flatter value") from None
    except ValueError:  # Python reads no longer ones; tomllib and PyYAML let that through
        raise SyntaxProblem("an integer in it has thousands of digits", mend="quote it") from None


def _refuse_duplicates(root: yaml.Node) -> None:
    """A SyntaxProblem where a key stands twice in one table."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            first: dict[str, yaml.Node] = {}
            for key, value in node.value:
                children += [key, value]
                if not isinstance(key, yaml.ScalarNode):
                    continue
                if other := first.get(key.value):
                    raise SyntaxProblem(
                        f"'{key.value}' stands twice, first in line {other.start_mark.line + 1}",
                        line=key.start_mark.line + 1,
                        mend="keep one of them",
                    )
                first[key.value] = key
        elif isinstance(node, yaml.SequenceNode):
            children += node.value
        for child in children:
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)


def _lines(root: yaml.Node) -> dict[Place, int]:
    found: dict[Place, int] = {}
    waiting: list[tuple[Place, yaml.Node]] = [((), root)]
    while waiting:
        place, node = waiting.pop()
        if not isinstance(node, yaml.MappingNode) or len(place) == 3:
            continue
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                here = (*place, key.value)
                found[here] = key.start_mark.line + 1
                waiting.append((here, value))
    return found


def _is_plain(node: yaml.MappingNode) -> bool:
    """Whether the keys of a table were all written in it, and none merged from elsewhere."""
    start, end = node.start_mark.index, node.end_mark.index
    return all(start <= key.start_mark.index <= end for key, _ in node.value)


def _marked(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


# The resolvers are kept by first letter; those of YAML 1.1 give way to the core schema's.
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag not in _OF_YAML_1_1]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _tag, _pattern, _letters in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(
        f"{_PREFIX}{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_letters)
    )
_Loader.add_constructor(f"{_PREFIX}int", _Loader.construct_core_int)
_Loader.add_constructor(f"{_PREFIX}float", _Loader.construct_core_float)
_Loader.add_constructor(f"{_PREFIX}timestamp", _Loader.construct_moment)
