"""Whether jobs fire, not too often, and find a host."""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from jober.doctor.facts import CheckedJob
from jober.doctor.finding import Finding, Findings, Section
from jober.placement import Roster
from jober.words import count, duration

# Of one kind of finding so many jobs are named, and the others counted: a fleet has 100,000.
NAMED = 20
# Runs a day by which a history of a week is better kept as a service's log.
OFTEN_A_DAY = 10_000
# What takes longer than this between two fires is not asked how long it takes.
OFTEN_S = 3600.0
_SAY = Findings(Section.JOBS)
_DAY_S = 86_400.0


class JobRules:
    """Looks at one job after the other, and tells what was found of all. A paused job is looked
    at as others are, but for its hosts. `usual_s` is asked what the last successes of a job took
    that fires more often than each hour, by the median; None where that is not known. Of hosts
    that run what is signed alone, `trusting` has the ids of the keys whose definitions they run."""

    def __init__(
        self,
        roster: Roster,
        now_ms: int,
        usual_s: Callable[[str], float | None] = lambda name: None,
        trusting: Mapping[str, Container[str]] | None = None,
    ) -> None:
        self._roster = roster
        self._now_ms = now_ms
        self._usual_s = usual_s
        self._trusting = trusting or {}
        self._jobs = 0
        self._found: dict[str, list[Finding]] = {}
        self._more: dict[str, int] = {}

    def look(self, job: CheckedJob) -> None:
        self._jobs += 1
        rules = (self._hosts(job), self._signed(job), self._fires(job), _calendars(job))
        for finding in chain.from_iterable(rules):
            self._note(finding)

    def look_at_later(self, name: str, schema: int) -> None:
        """At a job that a later jober has written."""
        self._jobs += 1
        what = f"has schema {schema}, of a later jober: whoever does not know it does not fire it"
        self._note(_SAY.problem("later", what, "upgrade jober on all hosts", where=name))

    def _note(self, finding: Finding) -> None:
        named = self._found.setdefault(finding.check, [])
        if len(named) < NAMED:
            named.append(finding)
        else:
            self._more[finding.check] = self._more.get(finding.check, 0) + 1

    def findings(self) -> list[Finding]:
        """Each check's jobs by name, and how many more there are of it."""
        found = []
        for check, named in self._found.items():
            found += named
            if more := self._more.get(check):
                what = f"and {more} more ({check})"
                found.append(replace(named[0], where="", what=what, mend=""))
        if not found:
            what = f"{count(self._jobs, 'job')}: each fires, and finds a host"
            what = what if self._jobs else "there is none yet"
            found.append(_SAY.ok("jobs", what))
        return found

    def _signed(self, job: CheckedJob) -> Iterator[Finding]:
        for host in self._roster.hosts_for(job.policy.queue) if self._trusting else ():
            if host not in self._trusting or job.sealed_by in self._trusting[host]:
                continue
            mend = f"JOBER_SIGN_KEY=FILE and `jober apply`, or `jober key sign {job.name}`"
            told = f"is not signed, and {host} runs nothing that is not"
            if job.sealed_by:
                told = f"is signed by key {job.sealed_by}, which {host} does not trust"
            yield _SAY.problem("unsigned", told, mend, where=job.name)
            return

    def _hosts(self, job: CheckedJob) -> Iterator[Finding]:
        if job.paused:
            return
        hosts = self._roster.hosts_for(job.policy.queue)
        wanted = job.policy.on if isinstance(job.policy.on, int) else 1
        if not hosts:
            yield _SAY.problem(
                "no-host",
                f"no live host has {job.policy.roles}",
                "an agent with its roles (`jober worker --roles …`), or other roles for it",
                where=job.name,
            )
        elif len(hosts) < wanted:
            yield _SAY.warning(
                "few-hosts",
                f"wants {wanted} hosts, and {len(hosts)} match",
                f"more agents with {job.policy.roles}, or a smaller `on`",
                where=job.name,
            )

    def _fires(self, job: CheckedJob) -> Iterator[Finding]:
        schedule = job.policy.schedule
        if schedule is None:
            return
        first = schedule.next_after_ms(self._now_ms, job.anchor_ms)
        if first is None:
            yield _SAY.warning(
                "never-fires",
                "its schedule has no fire any more",
                f"another schedule, or `jober remove {job.name}`",
                where=job.name,
            )
            return
        second = schedule.next_after_ms(first, job.anchor_ms)
        if second is None:
            return
        gap_s = (second - first) / 1000
        usual_s = self._usual_s(job.name) if gap_s < OFTEN_S else None
        if usual_s is not None and usual_s > gap_s:
            told = f"fires {duration(gap_s)} apart, and takes {duration(usual_s)}"
            yield _SAY.warning(
                "too-often",
                told,
                "a longer interval, or another `overlap` than what it has",
                where=job.name,
            )
        elif gap_s * OFTEN_A_DAY < _DAY_S:
            told = f"fires {duration(gap_s)} apart, {_DAY_S / gap_s:,.0f} times a day"
            yield _SAY.warning(
                "too-often",
                told,
                "a longer interval, or a service (`service = true`), which runs all the time",
                where=job.name,
            )


def _calendars(job: CheckedJob) -> Iterator[Finding]:
    for name in job.calendars_missing:
        told = f"its calendar '{name}' is not there: it leaves out no day"
        mend = f"`jober apply` a file with [calendars.{name}]"
        yield _SAY.warning("calendar", told, mend, where=job.name)
