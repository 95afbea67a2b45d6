"""A fleet that has something to do while things go wrong around it."""

import time

from tests.faults.armed_fleet import ArmedFleet
from tests.faults.checker import Checker
from tests.faults.work import command, function, read_log
from tests.waiting import wait_until


def busy(fleet: ArmedFleet, *, may_repeat: bool = False) -> Checker:
    """Two schedulers, two agents, and what they have to do."""
    for host in ("web1", "web2"):
        fleet.armed_agent(host)
    fleet.add("command", every=1, overlap="queue", concurrency=2, **command(0.3))
    fleet.add("function", every=1, overlap="allow", **function(0.3))
    fleet.add("everywhere", every=2, on="every", **function())
    checker = Checker(fleet.jober, fleet.work_log, may_repeat=may_repeat)
    checker.expect("command", "function")
    checker.expect("everywhere", hosts=("web1", "web2"))
    fleet.scheduler()
    fleet.scheduler()
    return checker


def said(fleet: ArmedFleet, what: str) -> int:
    return sum(line.what == what for line in read_log(fleet.work_log))


def go_on(fleet: ArmedFleet, what: str = "start", more: int = 3) -> float:
    """Wait until so many more bodies have begun, or ended; the seconds that it took."""
    began, before = time.monotonic(), said(fleet, what)
    wait_until(lambda: said(fleet, what) >= before + more, 60, f"{more} more to {what}")
    return time.monotonic() - began
