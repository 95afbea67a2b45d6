"""From where a program imports, beside what any Python of its installation finds."""

import os
import sys
import sysconfig
from pathlib import Path
from types import ModuleType


def own_paths() -> list[str]:
    """The absolute folders of sys.path that are not of the installation."""
    installed = {os.path.realpath(path) for path in sysconfig.get_paths().values()}
    installed |= {os.path.realpath(path) for path in sys.path if _is_installed(path)}
    found = (os.path.abspath(path) for path in sys.path)
    return [path for path in dict.fromkeys(found) if os.path.realpath(path) not in installed]


def home_of(module: str) -> str | None:
    """The folder that a module, or the package that it is of, is imported from; None where no file
    is known."""
    top: ModuleType | None = sys.modules.get(module.partition(".")[0])
    file = getattr(top, "__file__", None)
    if file is None:
        parts = list(getattr(top, "__path__", ()))
        return os.path.dirname(os.path.abspath(parts[0])) if parts else None
    path = Path(os.path.abspath(file))
    return str(path.parent.parent if hasattr(top, "__path__") else path.parent)


def _is_installed(path: str) -> bool:
    """Of the standard library, zipped or not, or a folder of packages."""
    name = os.path.basename(path)
    return (
        name in ("site-packages", "dist-packages", "lib-dynload")
        or name.startswith("python3")
        and path.startswith((sys.base_prefix, sys.prefix))
    )
