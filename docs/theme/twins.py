"""The calls of the asynchronous twins on the page of the Python API: what is written as
`run = turned(Jober.run, …)` is shown with the signature and the words of `Jober.run`."""

from typing import Any

import griffe

_WHERE = "client.asynchronous"
_CALLS = ("awaited", "turned", "iterated")
# What a call of each kind returns in place of what it returns there.
_RETURNS = {"turned": ("RunHandle", "AsyncRun"), "iterated": ("Iterator", "AsyncIterator")}
_PROPERTY = "asked"


class Twins(griffe.Extension):
    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        if pkg.path != "jober":
            return
        module = pkg[_WHERE]
        for twin in module.classes.values():
            for name, member in list(twin.members.items()):
                shown = _shown(name, member) if member.is_attribute else None
                if shown is not None:
                    twin.set_member(name, shown)


def _shown(name: str, member: Any) -> griffe.Object | None:
    """What such a member is shown as; None where it is none."""
    made = member.value
    if not isinstance(made, griffe.ExprCall) or not isinstance(made.function, griffe.ExprName):
        return None
    kind, of = made.function.name, made.arguments[0]
    if kind in _CALLS:
        found = _found(member, str(of))
        return None if found is None else _call(name, found, kind)
    if kind == _PROPERTY:
        found = _found(member, f"{of}.{name}")
        return None if found is None else _property(name, found)
    return None


def _found(member: Any, path: str) -> Any:
    """`Class.name` as the module of the twin knows it, wherever its class has it from."""
    owner, _, name = path.partition(".")
    cls = member.module[owner]
    cls = cls.final_target if cls.is_alias else cls
    found = cls.all_members.get(name)
    return found.final_target if found is not None and found.is_alias else found


def _call(name: str, source: Any, kind: str) -> griffe.Function:
    there, here = _RETURNS.get(kind, ("", ""))
    call = griffe.Function(
        name,
        parameters=source.parameters,
        returns=str(source.returns).replace(there, here) if there else source.returns,
        lineno=source.lineno,
        endlineno=source.endlineno,
        docstring=source.docstring,
    )
    if kind != "iterated":
        call.labels.add("async")
    return call


def _property(name: str, source: Any) -> griffe.Attribute:
    shown = griffe.Attribute(
        name,
        annotation=source.annotation,
        lineno=source.lineno,
        endlineno=source.endlineno,
        docstring=source.docstring,
    )
    shown.labels.update(("async", "property"))
    return shown
