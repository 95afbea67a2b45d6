"""The checker: what no fault may have done to a fleet, read from Redis and from what the bodies of
the jobs have written themselves.

    checker = Checker(fleet.jober, fleet.work_log)
    checker.expect("each-second")          # its fires count from now on
    ...                                    # faults
    assert checker.settled() == []         # the jobs are paused, and all comes to rest

Each violation is one line of text that names what it is about.
"""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jober import Jober
from jober.clock import iso
from jober.event import Event
from jober.ids import fired_run_id
from jober.ledger import LedgerEntry
from jober.run import Run, RunState
from jober.schedule import Schedule
from jober.store import keys
from jober_worker.kernel import all_processes, variables_of
from jober_worker.processes import RUN_VARIABLE
from tests.faults.rest import unrest
from tests.faults.work import SAID, Line, read_log

# All comes to rest in so long: leases end, agents start again, what was to be retried is.
REST_S = 60.0
LOOK_S = 0.2
# No process outlives its run by more.
OUTLIVES_S = 15.0
# Older runs are pruned: a test that makes more would not be looked at whole.
RUNS_AT_MOST = 1_000
EVENTS_AT_MOST = 20_000
# The leader looks each second who is live, and the reaper who is not.
SEEN_LATE_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    began_ms: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A host without a live agent between two moments."""

    host: str
    since_ms: int
    until_ms: int


class Checker:
    """`may_repeat`: bodies may run twice, also those of runs that nothing is known of any more, and
    beside what has taken their slots, and their output may have holes, as where a Redis has lost
    its last second."""

    def __init__(self, jober: Jober, work_log: Path, *, may_repeat: bool = False) -> None:
        self._jober = jober
        self._work_log = work_log
        self._may_repeat = may_repeat
        self._expected: dict[str, _Expected] = {}

    def expect(self, *jobs: str, hosts: Collection[str] = ()) -> None:
        """Each fire of these jobs has a run, or an entry in the ledger, from now on; on each of
        `hosts` where they are given."""
        for name in jobs:
            began_ms = self._jober.job(name).cursor_ms
            self._expected[name] = _Expected(began_ms=began_ms, hosts=tuple(hosts))

    def settled(self, within_s: float = REST_S) -> list[str]:
        """Pause all jobs, wait until all is at rest, and tell all violations; what is still not at
        rest after so long is one."""
        for record in list(self._jober.jobs()):
            if record.job.schedule:
                self._jober.pause(record.job.name)
        deadline = time.monotonic() + within_s
        while (left := self._unrest()) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return [*(f"not at rest: {one}" for one in left), *self.violations()]

    def violations(self) -> list[str]:
        """What is wrong by now, at rest or not."""
        runs, bodies = self._runs(), read_log(self._work_log)
        found = list(self._unaccounted(runs))
        for name, of_job in runs.items():
            found += out_of_term(of_job, self._made_ms(name))
            job = self._jober.job(name).job
            found += wrong_bodies(
                of_job, bodies, may_repeat=self._may_repeat, has_retries=job.retries > 0
            )
            if job.fleet_limit and not self._may_repeat:
                found += too_many_at_once(name, job.fleet_limit, of_job, bodies)
        known = {run.id for of_job in runs.values() for run in of_job}
        # What began after the runs were read has a record by now.
        found += [
            f"{line.run} said {line.what}, and is no run"
            for line in bodies
            if line.run not in known and not self._may_repeat and not self._is_there(line.run)
        ]
        with_bodies = {line.run for line in bodies}
        for run in (run for of_job in runs.values() for run in of_job):
            found += self._wrong_output(run, has_body=run.id in with_bodies)
        found += self._outliving(runs)
        return found

    def _is_there(self, run: str) -> bool:
        return bool(self._jober.store.connection.command("EXISTS", keys.rq_job(run)))

    def _runs(self) -> dict[str, list[Run]]:
        found = {}
        for record in self._jober.jobs():
            name = record.job.name
            found[name] = self._jober.runs(name, limit=RUNS_AT_MOST + 1)
            assert len(found[name]) <= RUNS_AT_MOST, f"too many runs of {name} to look at"
        return found

    def _unrest(self) -> list[str]:
        runs = [run for of_job in self._runs().values() for run in of_job]
        waiting = [f"{run.id} is {run.state}" for run in runs if not _is_over(run)]
        return [*waiting, *unrest(self._jober.store, may_forget=self._may_repeat)]

    def _unaccounted(self, runs: Mapping[str, list[Run]]) -> Iterator[str]:
        for name, expected in self._expected.items():
            record = self._jober.job(name)
            assert record.job.schedule is not None, f"{name} has no schedule"
            fires = _fires(record.job.schedule, expected.began_ms, record.cursor_ms)
            entries = self._jober.ledger(name, RUNS_AT_MOST)
            gone = away(self._jober.store.events.newest(EVENTS_AT_MOST))
            yield from unaccounted(name, fires, runs[name], entries, expected.hosts, gone)

    def _made_ms(self, name: str) -> dict[str, float]:
        """When each run of a job was made."""
        told = self._jober.store.connection.command
        found = told("ZRANGE", keys.runs(name), 0, -1, "WITHSCORES")
        return {id.decode(): float(ms) for id, ms in zip(found[::2], found[1::2], strict=True)}

    def _wrong_output(self, run: Run, *, has_body: bool) -> Iterator[str]:
        seq, end, said = 0, 0, b""
        for frame in self._jober.store.outputs.read(run.id):
            if frame.seq != seq + 1 and not self._may_repeat:
                yield f"output of {run.id}: frame {frame.seq} follows {seq}"
            if frame.offset != end and not self._may_repeat:
                yield f"output of {run.id}: byte {frame.offset} follows {end}"
            seq, end, said = frame.seq, frame.end, said + frame.data
        is_whole = run.state is RunState.SUCCESS and run.attempt == 1 and not self._may_repeat
        if has_body and is_whole and said != SAID:
            yield f"output of {run.id}: {said!r}"

    def _outliving(self, runs: Mapping[str, list[Run]]) -> list[str]:
        """Processes of runs that are over, which do not end in time."""
        over = {run.id for of_job in runs.values() for run in of_job if _is_over(run)}

        def found() -> dict[int, str]:
            named = {pid: variables_of(pid, RUN_VARIABLE) for pid in all_processes()}
            told = {pid: variables.get(RUN_VARIABLE) for pid, variables in named.items()}
            return {pid: run for pid, run in told.items() if run in over}

        deadline = time.monotonic() + OUTLIVES_S
        while (left := found()) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return [f"process {pid} outlives its run {run}" for pid, run in left.items()]


def away(events: Collection[Event]) -> list[Away]:
    """When the agents of hosts were struck off until they were there again. They are not live when
    their lease ends, which the reaper sees a moment later."""
    found, since = [], {}
    for event in sorted(events, key=lambda event: event.at_ms):
        host = event.facts.get("host", "")
        if event.type == "agent.lost":
            since[host] = event.at_ms - SEEN_LATE_MS
        elif event.type == "agent.joined" and host in since:
            until_ms = event.at_ms + SEEN_LATE_MS
            found.append(Away(host=host, since_ms=since.pop(host), until_ms=until_ms))
    found += [
        Away(host=host, since_ms=at_ms, until_ms=sys.maxsize) for host, at_ms in since.items()
    ]
    return found


def unaccounted(
    name: str,
    fires: Collection[int],
    runs: Collection[Run],
    entries: Collection[LedgerEntry],
    hosts: Collection[str],
    gone: Collection[Away] = (),
) -> Iterator[str]:
    """The fires that have no run and no entry in the ledger, and those with a run too many. A fire
    is made on each host that is live: not on one whose agent was struck off."""
    made: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        if run.fire_at_ms is not None:
            made[run.fire_at_ms].append(run)
    for fire in fires:
        told = [one for one in entries if one.first_fire_at_ms <= fire <= one.fire_at_ms]
        ids = {run.id for run in made[fire]}
        for host in hosts or (None,):
            is_told = any(host is None or entry.host in (None, host) for entry in told)
            wanted = fired_run_id(name, fire, host)
            is_made = wanted in ids if host else bool(ids)
            is_away = any(one.host == host and one.since_ms <= fire <= one.until_ms for one in gone)
            if not is_made and not is_told and not is_away:
                on = f" on {host}" if host else ""
                yield f"{name}: the fire of {iso(fire)}{on} has no run and no entry in the ledger"
        if fired_run_id(name, fire) in ids and len(ids) > 1:
            yield f"{name}: the fire of {iso(fire)} has {len(ids)} runs: {', '.join(sorted(ids))}"
    decided = set(fires)
    if decided:
        for run in runs:
            at = run.fire_at_ms
            if at is not None and min(decided) <= at <= max(decided) and at not in decided:
                yield f"{name}: {run.id} is of no fire of its schedule"


def out_of_term(runs: Collection[Run], made_ms: Mapping[str, float]) -> Iterator[str]:
    """Runs that were made by a leader when another had been elected: a term is the moment of its
    election (ms), or later."""
    terms = sorted({int(run.term) for run in runs if run.term})
    for run in runs:
        later = [term for term in terms if run.term and int(run.term) < term]
        if later and later[0] <= made_ms.get(run.id, 0):
            yield f"{run.id} was made in term {run.term}, when {later[0]} had begun"


def wrong_bodies(
    runs: Collection[Run], bodies: Collection[Line], *, may_repeat: bool, has_retries: bool
) -> Iterator[str]:
    """Attempts whose bodies ran twice, runs that ran more often than they may, and successes whose
    body has not ended."""
    said = Counter((line.what, line.lease) for line in bodies)
    attempts = defaultdict(set)
    for line in bodies:
        attempts[line.run].add(line.attempt)
    for run in runs:
        begun = attempts[run.id]
        for attempt in begun if not may_repeat else ():
            times = said["start", f"{run.id}:{attempt}"]
            if times > 1:
                yield f"attempt {attempt} of {run.id} ran {times} times"
        if len(begun) > 1 and not has_retries and not may_repeat:
            yield f"{run.id} is not to be tried again, and ran as attempts {sorted(begun)}"
        if run.state is RunState.SUCCESS and not said["end", f"{run.id}:{run.attempt}"]:
            yield f"{run.id} is a success, and its body has not ended"


def too_many_at_once(
    name: str, limit: int, runs: Collection[Run], bodies: Collection[Line]
) -> Iterator[str]:
    """Whether more of a job's bodies ran at once than its limit. Those count that ended, and whose
    agents were there all the time: what was cut off has not said when."""
    whole = {
        f"{run.id}:{run.attempt}"
        for run in runs
        if run.state is RunState.SUCCESS and "reported late" not in (run.reason or "")
    }
    running: set[str] = set()
    for line in bodies:
        if line.lease in whole:
            (running.add if line.what == "start" else running.discard)(line.lease)
            if len(running) > limit:
                yield f"{name}: {len(running)} at once, of {limit}: {', '.join(sorted(running))}"


def _fires(schedule: Schedule, after_ms: int, until_ms: int) -> list[int]:
    found = []
    fire = schedule.next_after_ms(after_ms, None)
    while fire is not None and fire <= until_ms:
        found.append(fire)
        fire = schedule.next_after_ms(fire, None)
    return found


def _is_over(run: Run) -> bool:
    return run.state.is_final
