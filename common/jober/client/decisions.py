"""What was decided of the fires of a job, and why."""

from jober.client.arguments import checked
from jober.client.definitions import Definitions
from jober.client.hosts import Hosts
from jober.client.why import Why, covering_runs, why
from jober.ledger import LedgerEntry

# The ledger of a job keeps about so many decisions.
LEDGER_KEPT = 1_100


class Decisions(Definitions, Hosts):
    """The ledgers of jobs, and what can be read from them."""

    @checked
    def ledger(self, name: str, limit: int = 100) -> list[LedgerEntry]:
        """What was decided of the job's newest fires, newest first."""
        return self.store.events.ledger(name, limit)

    @checked
    def why(self, name: str, at_ms: int | None = None) -> Why:
        """Why the fire of a job at a moment (default: its newest decided one) ran, was skipped
        or missed, or is none. Raises JobNotFound."""
        record = self.job(name)
        entries = self.ledger(name, LEDGER_KEPT)
        hosts = self.hosts_for(record.job)
        now_ms = self.store.clock.now_ms()
        if at_ms is None:
            at_ms = entries[0].fire_at_ms if entries else now_ms
        runs = self.store.runs.found(covering_runs(entries, at_ms))
        return why(record, entries, at_ms, now_ms, hosts, runs)
