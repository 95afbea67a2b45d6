"""Filters of hosts, for tests."""

import time
from typing import Any


def always(run: Any) -> bool:
    return True


def never(run: Any) -> bool:
    return False


def not_the_big(run: Any) -> bool:
    return bool(run.job != "big")


def broken(run: Any) -> bool:
    raise ValueError("no idea")


def nothing(run: Any) -> None:
    return None


def slow(run: Any) -> None:
    time.sleep(600)
