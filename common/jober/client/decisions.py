"""What was decided of the fires of a job, and why."""

from collections.abc import Sequence

from jober.client.arguments import checked
from jober.client.definitions import Definitions
from jober.client.hosts import Hosts
from jober.client.mends import Fleet
from jober.client.why import Why, covering_runs, why, why_run
from jober.errors import JobNotFound
from jober.ids import fired_run_id
from jober.ledger import LedgerEntry
from jober.log_line import as_text
from jober.output import Stream
from jober.run import Run

# The ledger of a job keeps about so many decisions.
LEDGER_KEPT = 1_100


class Decisions(Definitions, Hosts):
    """The ledgers of jobs, and what can be read from them."""

    @checked
    def ledger(self, name: str, limit: int = 100) -> list[LedgerEntry]:
        """What was decided of the job's newest fires, newest first."""
        return self.store.events.ledger(name, limit)

    @checked
    def runs_of_fire(self, name: str, at_ms: int) -> list[Run]:
        """The runs that the fire of a job at a moment made, on all hosts, as far as they are kept:
        on hosts that are live, and on those that the newest of the ledger tell of."""
        live = (fired_run_id(name, at_ms, agent.host) for agent in self.agents())
        told = (entry.run for entry in self.ledger(name, LEDGER_KEPT) if entry.fire_at_ms == at_ms)
        ids = dict.fromkeys([fired_run_id(name, at_ms), *live, *filter(None, told)])
        return list(self.store.runs.found(ids).values())

    @checked
    def beginnings(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The beginning of what each of these runs has written, in some 64 pieces of it."""
        found = self.store.outputs.beginnings(ids, 64)
        return {
            id: b"".join(
                as_text(frame.data) if frame.stream is Stream.LOG else frame.data
                for frame in frames
            )
            for id, frames in found.items()
        }

    @checked
    def why(self, name: str, at_ms: int | None = None) -> Why:
        """Why the fire of a job at a moment (default: its newest decided one; of a job without a
        schedule its newest run) ran, was skipped or missed, or is none; or the same of a run,
        where the name is the id of one. Raises JobNotFound."""
        run = None
        try:
            record = self.job(name)
        except JobNotFound:
            run = self.store.runs.found([name]).get(name)
            if run is None:
                raise
            if run.job is None:
                raise JobNotFound(name, is_plain_run=True) from None
            record = self.job(run.job)
        now_ms = self.store.clock.now_ms()
        fleet = Fleet(agents=self.agents(), is_led=self.leader() is not None)
        entries = self.ledger(record.name, LEDGER_KEPT)
        if run is not None:
            entries = [entry for entry in entries if entry.run == run.id]
        elif at_ms is None and not entries and record.job.schedule is None:
            run = next(iter(self.store.runs.page(record.name, limit=1)), None)
        if run is not None and not entries:
            return why_run(record, run, now_ms, fleet)
        if at_ms is None or run is not None:
            at_ms = entries[0].fire_at_ms if entries else now_ms
        runs = self.store.runs.found(covering_runs(entries, at_ms))
        return why(record, entries, at_ms, now_ms, fleet, runs)
