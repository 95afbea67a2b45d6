"""systemd unit files: sections of settings, of which some are lists, with drop-ins on top."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jober.errors import DefinitionError

_CAT_HEADING = re.compile(r"# (/\S*?/([^/\s]+\.(?:timer|service))(?:\.d/[^/\s]+\.conf)?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One `Key=value` of a section, and where it stands (`nightly.timer:5`)."""

    section: str
    key: str
    value: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of that name, and all its settings in the order they are read in."""

    name: str
    path: str
    settings: tuple[Setting, ...]

    @classmethod
    def of(cls, name: str, files: Iterable[tuple[str, str]]) -> "Unit":
        """The unit of files, as (path, text): its own, then its drop-ins. DefinitionError."""
        files = list(files)
        settings = [setting for path, text in files for setting in read_settings(text, path)]
        return cls(name=name, path=files[0][0], settings=tuple(settings))

    @property
    def stem(self) -> str:
        """Its name without the kind."""
        return self.name.rpartition(".")[0]

    def last(self, section: str, key: str) -> Setting | None:
        """The setting that counts, where one of it does; None where it is not set, or empty."""
        found = [one for one in self.settings if (one.section, one.key) == (section, key)]
        return found[-1] if found and found[-1].value else None

    def all(self, section: str, *keys: str) -> list[Setting]:
        """The settings that count, where all of it do: an empty one takes back those before."""
        found: list[Setting] = []
        for one in self.settings:
            if one.section == section and one.key in keys:
                found = [*found, one] if one.value else []
        return found


def read_settings(text: str, path: str) -> Iterator[Setting]:
    """The settings of a file. DefinitionError, with the line, for what is none."""
    section = ""
    lines = iter(enumerate(text.split("\n"), 1))
    for number, line in lines:
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        first = number
        while line.endswith("\\"):
            line = line[:-1] + " "
            number, more = next(lines, (number, ""))
            while more.lstrip()[:1] in ("#", ";") and more.strip():
                number, more = next(lines, (number, ""))
            line += more.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, equals, value = line.partition("=")
        if not equals or not section:
            raise DefinitionError(
                f"'{line}' is no setting of a section",
                file=f"{path}:{first}",
                mend="a unit file holds [Section] and Key=value",
            )
        yield Setting(
            section=section, key=key.strip(), value=value.strip(), place=f"{path}:{first}"
        )


def units_of_cat(text: str) -> list[Unit]:
    """The units of what `systemctl cat NAME.timer NAME.service` prints. DefinitionError."""
    files: dict[str, list[tuple[str, list[str]]]] = {}
    lines: list[str] | None = None
    for line in text.split("\n"):
        heading = _CAT_HEADING.fullmatch(line.rstrip())
        if heading:
            lines = []
            files.setdefault(heading[2], []).append((heading[1], lines))
        elif lines is not None:
            lines.append(line)
        elif line.strip() and not line.startswith(("#", ";")):
            raise DefinitionError(
                "it does not begin with '# /…/NAME.timer', so the name of its unit is not known",
                file="stdin",
                mend="pipe `systemctl cat NAME.timer NAME.service` into it, or name files",
            )
    return [
        Unit.of(name, [(path, "\n".join(lines)) for path, lines in found])
        for name, found in files.items()
    ]
