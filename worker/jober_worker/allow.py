"""What a host runs at all: the table `[allow]` of its file. Pure, but for a look at PATH.

Once one of `callables`, `commands`, `modules` and `scripts` is there, whatever is in none of them
is refused, and so is what could make something else of what is allowed: variables that choose what
a program loads, a directory or a file of variables that the job names.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from jober.errors import DefinitionError, did_you_mean

WHAT = ("callables", "commands", "modules", "scripts")
HOW = ("users", "groups", "env", "env_files", "cwd")
LISTS = (*WHAT, *HOW, "jobs", "roles")
# What chooses the code that a program runs, where the list has no `env`.
UNSAFE = ("LD_*", "DYLD_*", "PATH", "PYTHON*", "PERL*", "RUBY*", "NODE_*", "JAVA_*", "BASH*", "ENV")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a run wants: `kind` is one of WHAT in the singular, `name` the function, program,
    module or script, `argv` that of a command; `also` are functions that are called after it. What
    a `pickle` calls is not known before it runs, so no list names it."""

    kind: str
    name: str
    argv: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    job: str | None = None
    user: str | None = None
    group: str | None = None
    cwd: str | None = None
    env_file: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """The lists by name, as far as they are given, and the file that they stand in."""

    file: str | None = None
    lists: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def is_strict(self) -> bool:
        """Whether it says what may run."""
        return any(name in self.lists for name in WHAT)

    def roles(self, wanted: frozenset[str]) -> frozenset[str]:
        """Those of the roles that the host may have."""
        allowed = self.lists.get("roles")
        return wanted if allowed is None else wanted & frozenset(allowed)

    def refusal(self, wanted: Wanted) -> str | None:
        """Why the run is refused, naming the file and the rule; None where it is allowed."""
        for rule, problem in self._broken(wanted):
            return f"refused by {self.file}: [allow] {rule} {problem}"
        return None

    def _broken(self, wanted: Wanted) -> Iterator[tuple[str, str]]:
        lists = self.lists
        if "jobs" in lists and not _fits(wanted.job or "", lists["jobs"]):
            yield "jobs", f"does not name the job '{wanted.job or ''}'"
        kind = f"{wanted.kind}s"
        if self.is_strict and not _names(wanted, lists.get(kind, ())):
            yield kind, f"does not name {_shown(wanted, lists.get(kind, ()))!r}"
        for callback in wanted.also if self.is_strict else ():
            if not _names(Wanted(kind="callable", name=callback), lists.get("callables", ())):
                yield "callables", f"does not name {callback!r}, which is called after it"
        for name, value, is_loose in (
            ("users", wanted.user, True),
            ("groups", wanted.group, True),
            ("cwd", wanted.cwd, not self.is_strict),
            ("env_files", wanted.env_file, not self.is_strict),
        ):
            allowed = lists.get(name, ("*",) if is_loose else ())
            if value is not None and not _fits(value, allowed):
                yield name, f"does not name {value!r}"
        for variable in wanted.env:
            if "env" in lists:
                if not _fits(variable, lists["env"]):
                    yield "env", f"does not name the variable {variable}"
            elif self.is_strict and _fits(variable, UNSAFE):
                yield "env", f"has to name the variable {variable}, which chooses what is loaded"


def read_allow(table: Any, file: str | None) -> AllowList:
    """The lists of a table. Raises DefinitionError, its field as `allow.commands`."""
    if not isinstance(table, dict):
        raise DefinitionError("it is no table", field="allow", value=table, mend="write [allow]")
    lists = {}
    for name, value in table.items():
        if name not in LISTS:
            raise DefinitionError(
                f"there is no such list{did_you_mean(name, LISTS)}",
                field=f"allow.{name}",
                mend=f"the lists are {', '.join(LISTS)}",
            )
        if not isinstance(value, list) or not all(_is_rule(name, rule) for rule in value):
            more = ", or lists of texts: a program and its first arguments"
            raise DefinitionError(
                "it is no list of texts" + (more if name == "commands" else ""),
                field=f"allow.{name}",
                value=value,
                mend=f'{name} = ["…"]',
            )
        lists[name] = tuple(tuple(rule) if isinstance(rule, list) else rule for rule in value)
    return AllowList(file=file, lists=lists)


def _shown(wanted: Wanted, rules: Sequence[Any]) -> str:
    """What is refused; with its arguments where a rule names the program, but with others."""
    if wanted.kind == "command" and any(
        not isinstance(rule, str) and _is_program(wanted.argv[0], rule[0]) for rule in rules
    ):
        return shlex.join(wanted.argv)[:200]
    return wanted.name


def _is_rule(name: str, rule: Any) -> bool:
    if name == "commands" and isinstance(rule, list):
        return bool(rule) and all(isinstance(word, str) and word for word in rule)
    return isinstance(rule, str) and bool(rule)


def _fits(value: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _names(wanted: Wanted, rules: Sequence[Any]) -> bool:
    """Whether one of the rules names what is wanted."""
    match wanted.kind:
        case "command":
            return any(_is_command(wanted.argv, rule) for rule in rules)
        case "script":
            path = os.path.normpath(os.path.join(wanted.cwd or os.getcwd(), wanted.name))
            return _fits(path, rules)
        case _:
            # A * stands for a part of a name: `reports.*` is a function of reports, and no
            # `reports.os.system`.
            name = wanted.name.replace(":", ".")
            return any(_dotted(rule).fullmatch(name) for rule in rules)


def _dotted(rule: str) -> re.Pattern[str]:
    return re.compile(re.escape(rule.replace(":", ".")).replace(r"\*", r"[^.]*"))


def _is_command(argv: Sequence[str], rule: str | tuple[str, ...]) -> bool:
    words = (rule,) if isinstance(rule, str) else rule
    return _is_program(argv[0], words[0]) and tuple(argv[1 : len(words)]) == tuple(words[1:])


def _is_program(program: str, rule: str) -> bool:
    """A path is that program; a name or a pattern is one that PATH finds by such a name."""
    from shutil import which  # here: the guardian loads this module, and is small

    found = which(program)
    if "/" in rule:
        return found is not None and fnmatchcase(os.path.normpath(found), rule)
    name = os.path.basename(program)
    return fnmatchcase(name, rule) and ("/" not in program or which(name) == found)
