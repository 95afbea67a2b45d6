"""A call that tells of itself in a folder, and ends when it may: for runs that wait for a slot."""

import time
from pathlib import Path

GIVE_UP_S = 60.0


def hold(folder: str, number: int) -> None:
    """Note that call `number` has begun; go on when it is let go."""
    with Path(folder, f"begun-{number}").open("a") as file:
        file.write("x")
    until = time.monotonic() + GIVE_UP_S
    while not Path(folder, f"go-{number}").exists() and time.monotonic() < until:
        time.sleep(0.005)


def let_go(folder: Path, number: int) -> None:
    (folder / f"go-{number}").touch()


def begun(folder: Path, number: int) -> int:
    """How often the call was begun."""
    file = folder / f"begun-{number}"
    return len(file.read_text()) if file.exists() else 0
