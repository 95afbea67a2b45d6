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
class Mutation:
    """`old` of `file` becomes `new`; `promise` is the name of one in docs/guarantees.md."""

    name: str
    promise: str
    file: str
    old: str
    new: str
    test: str

    def mutated(self, root: Path = ROOT) -> str:
        """The text of the file as the mutation has it. Raises StaleMutation."""
        text = (root / self.file).read_text("utf-8")
        if (found := text.count(self.old)) != 1:
            raise StaleMutation(
                f"mutation '{self.name}': what it changes is {found} times in {self.file}, and has "
                f"to be there once; say in tests/mutants what stands there now:\n{self.old}"
            )
        return text.replace(self.old, self.new)

    def apply(self, root: Path) -> None:
        """Change the copy of the tree at `root`. Raises StaleMutation."""
        (root / self.file).write_text(self.mutated(root), "utf-8")


def copy_tree(to: Path, tree: Path = ROOT) -> None:
    """All that the tests need, as it is now, what is not committed too."""
    shutil.copytree(tree, to, ignore=_NOT_COPIED, symlinks=True)


def import_path(root: Path) -> str:
    """The PYTHONPATH by which a copy goes before what is installed, in every process of a test."""
    return ":".join(str(root / room) for room in ("common", "scheduler", "worker", "."))
