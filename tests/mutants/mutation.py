"""One mutation: a mechanism taken out of a copy of the tree, and the test that must then fail."""

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# What the tests do not read, or would find in the wrong tree.
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")


class StaleMutation(Exception):
    """What a mutation changes is not in the code any more, or is there more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`old` of `file` becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`old` of `file` becomes `new`; `promise` is the name of one in docs/guarantees.md.

    `also` takes out what would do in its place: some things are held twice.
    """

    name: str
    promise: str
    file: str
    old: str
    new: str
    test: str
    also: tuple[Change, ...] = ()

    def mutated(self, root: Path = ROOT) -> dict[str, str]:
        """The files that it changes, as it has them. Raises StaleMutation."""
        texts: dict[str, str] = {}
        for one in (Change(file=self.file, old=self.old, new=self.new), *self.also):
            text = texts.get(one.file) or (root / one.file).read_text("utf-8")
            if (found := text.count(one.old)) != 1:
                raise StaleMutation(
                    f"mutation '{self.name}': what it changes is {found} times in {one.file}, and "
                    f"has to be there once; say in tests/mutants what stands there now:\n{one.old}"
                )
            texts[one.file] = text.replace(one.old, one.new)
        return texts

    def apply(self, root: Path) -> None:
        """Change the copy of the tree at `root`. Raises StaleMutation."""
        for file, text in self.mutated(root).items():
            (root / file).write_text(text, "utf-8")


def copy_tree(to: Path, tree: Path = ROOT) -> None:
    """All that the tests need, as it is now, what is not committed too."""
    shutil.copytree(tree, to, ignore=_NOT_COPIED, symlinks=True)


def import_path(root: Path) -> str:
    """The PYTHONPATH by which a copy goes before what is installed, in every process of a test."""
    return ":".join(str(root / room) for room in ("common", "scheduler", "web", "worker", "."))
