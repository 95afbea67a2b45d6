"""The systemd timers of a host, with their drop-ins and the services that they start.

As systemd finds them: a unit of /etc goes before one of /run and one of /usr/lib, a link to
/dev/null takes it away, and what a folder `NAME.d` holds comes on top.
"""

from collections.abc import Iterator

from jober.errors import DefinitionError
from jober.importing import Imported, SystemdOptions, Unit, read_systemd
from jober.importing.systemd import service_of
from jober.takeover.root import Root

# The first that has a unit counts.
FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)


def read_timers(root: Root, timezone: str | None, *, every: bool) -> Imported:
    """The jobs of the timers that are enabled; with `every`, of all."""
    units: dict[str, Unit] = {}
    problems: list[DefinitionError] = []
    for name in sorted(set(_all(root)) if every else set(_enabled(root))):
        if name.endswith("@.timer"):
            continue  # a template: its instances are the timers
        try:
            timer = _unit(root, name)
            if timer is None:
                continue
            units[name] = timer
            service = service_of(timer)
            found = _unit(root, service)
            if found is not None:
                units[service] = found
        except DefinitionError as error:
            problems.append(error)
    read = read_systemd(units.values(), SystemdOptions(timezone=timezone, by_systemctl=True))
    return Imported(
        header=(),
        defaults=read.defaults,
        parts=read.parts,
        problems=(*problems, *read.problems),
        warnings=read.warnings,
    )


def is_of_host(root: Root, timer: str) -> bool:
    """Whether a timer was enabled on the host, and not by the maker of its package."""
    return any(timer in root.names(folder) for folder in _wants(root, FOLDERS[:2]))


def _all(root: Root) -> Iterator[str]:
    for folder in FOLDERS:
        yield from (name for name in root.names(folder) if name.endswith(".timer"))


def _enabled(root: Root) -> Iterator[str]:
    """What some target or unit wants, as `systemctl enable` writes it down."""
    for folder in _wants(root, FOLDERS):
        yield from (name for name in root.names(folder) if name.endswith(".timer"))


def _wants(root: Root, folders: tuple[str, ...]) -> Iterator[str]:
    for folder in folders:
        for name in root.names(folder):
            if name.endswith((".wants", ".requires")):
                yield f"{folder}/{name}"


def _unit(root: Root, name: str) -> Unit | None:
    """The unit; None where there is none, or it is masked. DefinitionError."""
    stem, dot, kind = name.rpartition(".")
    template, at, _ = stem.partition("@")
    names = [name, f"{template}@{dot}{kind}"] if at else [name]
    path = next(
        (f"{folder}/{one}" for one in names for folder in FOLDERS if one in root.names(folder)),
        None,
    )
    if path is None or root.followed(path) == "/dev/null":
        return None
    own = root.text(path)
    if not own.strip():
        return None  # an empty file masks a unit too
    files = [(path, own)]
    # Of drop-ins of the same name, that of the first folder counts; all are read by their names.
    drop_ins: dict[str, str] = {}
    for folder in reversed(FOLDERS):
        for one in reversed(names):
            for entry in root.names(f"{folder}/{one}.d"):
                if entry.endswith(".conf"):
                    drop_ins[entry] = f"{folder}/{one}.d/{entry}"
    files += [
        (place, root.text(place))
        for _, place in sorted(drop_ins.items())
        if root.followed(place) != "/dev/null"
    ]
    return Unit.of(name, files)
