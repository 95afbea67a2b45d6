"""Failpoints: named places where a process can be made to die, stop, hang or fail, for tests.

Killing at random hardly ever hits the moment that matters. So the places where a crash would hurt
have names in the code, and a test arms them by the environment of a process:

    JOBER_FAILPOINTS="leader.before_fire=kill@3,agent.claimed=stop" jober-scheduler

`kill` is SIGKILL and `stop` SIGSTOP of this very process, `hang:MS` sleeps, `error` raises
FailpointError. `@n` is the n-th pass of the place, counted in each process for itself; `%n` each
n-th; with neither, the first. Where JOBER_FAILPOINTS_DIR names a folder, a file
`<name>.<pid>.<pass>` is there before it happens, so that a test can wait for it.

Nothing is armed unless `arm` is called, and then a pass costs one look at an empty table.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from jober.errors import DefinitionError, JoberError, did_you_mean

VARIABLE = "JOBER_FAILPOINTS"
FOLDER_VARIABLE = "JOBER_FAILPOINTS_DIR"

# Each stands in the code once. A leader's are passed by the scheduler that leads, those of a
# scheduler and of its follower by each, those of an agent and of its journal by the agent alone.
FAILPOINTS: Mapping[str, str] = {
    "scheduler.before_lead": "about to seek or renew the lead",
    "leader.elected": "the lead is ours in Redis, and nobody here knows it yet",
    "leader.heard": "a ring of jober:wake has been taken, and not been followed",
    "leader.read": "what is due has been read, and nothing decided",
    "leader.decided": "all is decided, and its moment not there yet",
    "leader.before_fire": "the lead has been checked here, and FIRE is about to be sent",
    "leader.fired": "FIRE has been done, and its reply not been looked at",
    "leader.before_serve": "the next steps of services are decided, and SERVE is about to be sent",
    "leader.served": "SERVE has been done",
    "leader.before_prune": "old runs are about to be forgotten",
    "leader.before_take": "what became of jobs is queued as messages, and none of them is taken",
    "leader.sent": "a message was delivered, and is not known to be",
    "leader.before_resign": "told to stop, and about to resign",
    "scheduler.before_promote": "about to look for what is missed, and what is tried again",
    "scheduler.before_reclaim": "about to give up the attempts of silent agents",
    "scheduler.reclaimed": "attempts were given up, and free slots not been given on",
    "follower.before_follow": "what the ends of runs start is decided, and nothing of it done",
    "follower.followed": "what the ends of runs start has been made, and nobody knows it here",
    "follower.before_settle": "what becomes of waiting runs is decided, and nothing of it done",
    "follower.settled": "waiting runs have gone on, and nobody knows it here",
    "guardian.forked": "an agent has been forked",
    "guardian.before_clearing": "the agent has died, and what is left of it not been killed",
    "guardian.cleared": "nothing is left of the agent, and no other has been forked",
    "agent.joined": "the agent is in Redis, and its parts do not work yet",
    "agent.before_claim": "about to claim",
    "agent.claimed": "runs were claimed, and none of them is known to the agent yet",
    "agent.before_start": "a run is in its thread, and nothing of it has begun",
    "agent.before_batch": "a plain RQ job is about to be one of a batch, and was not begun",
    "agent.started": "the program of a run has been started",
    "agent.ended": "a run has ended, and nobody has noted it",
    "agent.before_finish": "ends are about to be reported",
    "agent.finished": "ends were reported, and the reply not been looked at",
    "agent.before_renew": "leases are about to be renewed",
    "agent.renewed": "leases were renewed, and the reply not been obeyed",
    "agent.before_leave": "told to stop, all is reported, and the agent is about to leave",
    "journal.before_write": "outcomes are about to be written to the disk",
    "journal.written": "outcomes are on the disk, and not known to be",
    "replayer.reported": "a journal that an agent has left is reported, and is there yet",
}

_ARMED = re.compile(
    r"(?P<name>[a-z_.]+)=(?P<action>kill|stop|error|hang:(?P<ms>\d+))"
    r"(?:(?P<how>[@%])(?P<number>[1-9]\d*))?"
)


class FailpointError(JoberError):
    """What the action `error` raises at the failpoint `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the failpoint {name} was told to fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Armed:
    action: str
    hang_s: float
    number: int
    is_each: bool

    def is_now(self, passes: int) -> bool:
        return passes % self.number == 0 if self.is_each else passes == self.number


_armed: dict[str, _Armed] = {}
_passes: dict[str, int] = {}
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Pass the place `name`. Raises FailpointError, or does not return, where it is armed so."""
    if _armed and name in _armed:
        _pass(name, _armed[name])


def arm(environ: Mapping[str, str]) -> None:
    """Arm what the environment says, for this process and those that it forks. Raises
    DefinitionError where that cannot be read."""
    _armed.clear()
    _passes.clear()
    for text in filter(None, environ.get(VARIABLE, "").split(",")):
        name, armed = _read(text.strip())
        _armed[name] = armed


def _read(text: str) -> tuple[str, _Armed]:
    found = _ARMED.fullmatch(text)
    if found is None:
        raise DefinitionError(
            f"'{text}' cannot be read",
            field=VARIABLE,
            value=text,
            mend="NAME=kill, stop, error or hang:MS, and perhaps @3 for the third pass, %3 for "
            "each third",
        )
    name = found["name"]
    if name not in FAILPOINTS:
        raise DefinitionError(
            f"no failpoint is named '{name}'{did_you_mean(name, FAILPOINTS)}",
            field=VARIABLE,
            value=text,
            mend="they are listed in jober/failpoint.py",
        )
    return name, _Armed(
        action=found["action"].partition(":")[0],
        hang_s=int(found["ms"] or 0) / 1000,
        number=int(found["number"] or 1),
        is_each=found["how"] == "%",
    )


def _pass(name: str, armed: _Armed) -> None:
    with _lock:
        _passes[name] = passes = _passes.get(name, 0) + 1
    if not armed.is_now(passes):
        return
    if folder := os.environ.get(FOLDER_VARIABLE):
        open(os.path.join(folder, f"{name}.{os.getpid()}.{passes}"), "a").close()
    match armed.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            # To this very thread, which goes no step further: another may take a signal to the
            # process, and this one goes on until it is told.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        case "hang":
            time.sleep(armed.hang_s)
        case "error":
            raise FailpointError(name)
