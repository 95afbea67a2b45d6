"""Which runs are looked for, in Redis and in an archive alike. Pure."""

from dataclasses import dataclass

from jober.run import Run, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Runs of `job`, in one of `states`, of `host`, made from `since_ms` to before `until_ms`, and
    of jobs with `tag`; what is None, or empty, is not asked for."""

    job: str | None = None
    states: frozenset[RunState] = frozenset()
    host: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    tag: str | None = None

    def takes(self, run: Run) -> bool:
        """Whether a run is of the state and the host that are asked for; the list that it is found
        in tells the rest."""
        return (not self.states or run.state in self.states) and self.host in (None, run.host)

    @property
    def looks_at_records(self) -> bool:
        """Whether the list of runs alone does not tell."""
        return bool(self.states) or self.host is not None or self.tag is not None
