"""A batch of commands, run to the end of all of them."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jober.client.arguments import checked
from jober.client.by_hand import ByHand
from jober.client.giving_up import patiently
from jober.client.handle import RunHandle
from jober.client.whole_log import WholeLog
from jober.errors import JoberError, RunNotFound
from jober.ids import manual_run_id
from jober.log_line import as_text
from jober.output import Frame, Stream
from jober.run import Run

if TYPE_CHECKING:
    from jober.batch import Item, Row

# How often it is looked how they are.
LOOK_S = 0.05
# The arguments of a job that a run is given.
_HOW = ("retries", "timeout", "cwd", "env", "roles")
_HOW_RETRIED = ("retry_delay", "retry_backoff", "retry_max_delay")


class Batch:
    """Commands that are run, each after those that it waits for. It is what `Jober.batch` gives
    back at the end; meanwhile it tells whom it was asked to how it stands, many times a second."""

    def __init__(
        self,
        jober: ByHand,
        items: "Sequence[Item]",
        *,
        logs: Path | None = None,
        fail_fast: bool = False,
        at_once: int | None = None,
    ) -> None:
        self._jober = jober
        self.items = tuple(items)
        self._logs = logs
        self._fail_fast = fail_fast
        self._at_once = at_once
        self._handles: dict[str, RunHandle] = {}
        self._rows: dict[str, Row] = {}
        self._ended: dict[str, bool] = {}
        self.running: dict[str, Run] = {}  # those that have begun, as they were at the last look

    @property
    def ok(self) -> bool:
        """Whether all of them ended well."""
        return len(self._ended) == len(self.items) and all(self._ended.values())

    @property
    def rows(self) -> "list[Row]":
        """What came of each that is over, in the order of the list."""
        return [self._rows[item.id] for item in self.items if item.id in self._rows]

    def report(self) -> list[dict[str, Any]]:
        """Of each: `id`, `state`, `retried`, `exit_code`, `start`, `finish` (ISO text), `elapsed`
        (seconds), None where it did not run; and `reason`, `run` and `log`."""
        return [row.to_dict() for row in self.rows]

    def table(self) -> str:
        """The same as a table of text."""
        from jober.batch import table

        return table(self.rows)

    def run(self, tell: "Callable[[Batch], None]" = lambda batch: None) -> None:
        """Run it to its end. Where the waiting is interrupted, what runs is cancelled."""
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
        try:
            for _ in patiently(iter(self._step, False)):
                tell(self)
                time.sleep(LOOK_S)
            tell(self)
        except BaseException:
            self._cancel("the batch was interrupted")
            raise

    def _step(self) -> bool:
        """Look how they are, and start what may be; False where all is over."""
        from jober.batch import hopeless, ready

        self._look()
        failed = [id for id, good in self._ended.items() if not good and self._rows[id].run]
        for id, cause in hopeless(self.items, self._handles, self._ended).items():
            self._leave_out(id, f"{cause} did not succeed")
        if failed and self._fail_fast:
            for item in self.items:
                if item.id not in self._handles:
                    self._leave_out(item.id, f"the batch was stopped, since {failed[0]} failed")
            self._cancel(f"{failed[0]} failed")
        live = len(self._handles) - sum(1 for id in self._ended if id in self._handles)
        begun = {*self._handles, *self._ended}
        for item in ready(self.items, begun, self._ended):
            if self._at_once is not None and live >= self._at_once:
                break
            self._start(item)
            live += 1
        return live > 0

    def _start(self, item: "Item") -> None:
        job = item.job
        store = self._jober.store
        store.observe_time()
        how = {name: getattr(job, name) for name in _HOW}
        if job.retries:
            how |= {name: getattr(job, name) for name in _HOW_RETRIED}
        what: Any = job.command
        if not job.shell:
            from jober.job.payload import split_command

            what = split_command(job.command or "")
        id = manual_run_id(item.id, store.clock.now_ms())
        given = {name: value for name, value in how.items() if value}
        self._handles[item.id] = self._jober.run(what, shell=job.shell, id=id, **given)

    def _look(self) -> None:
        live = {id: one.id for id, one in self._handles.items() if id not in self._ended}
        found = self._jober.store.runs.found(live.values())
        self.running = {}
        for id, run_id in live.items():
            run = found.get(run_id)
            if run is None:
                raise RunNotFound(run_id)
            if run.state.is_final:
                self._end(id, run)
            elif run.attempt:
                self.running[id] = run

    def _end(self, id: str, run: Run) -> None:
        from jober.batch import Row

        attempts = self._handles[id].attempts
        log = None
        if attempts and self._logs is not None:
            log = self._logs / f"{id}.log"
            self._write_log(run.id, log)
        self._ended[id] = run.is_good
        self._rows[id] = Row(
            id=id,
            state=str(run.state),
            run=run.id,
            retried=len(attempts) - 1 if attempts else None,
            exit_code=run.exit_code,
            start_ms=attempts[0].started_at_ms if attempts else None,
            finish_ms=run.ended_at_ms if attempts else None,
            reason=run.reason,
            log=None if log is None else str(log),
        )

    def _leave_out(self, id: str, reason: str) -> None:
        from jober.batch import Row

        if id not in self._ended:
            self._ended[id] = False
            self._rows[id] = Row(id=id, state="skipped", reason=reason)

    def _write_log(self, run: str, path: Path) -> None:
        with path.open("wb") as file:
            for told in WholeLog(self._jober.store, run).forward(whole=False):
                if not isinstance(told, Frame):
                    file.write(f"\n[{told}]\n".encode())
                else:
                    file.write(as_text(told.data) if told.stream is Stream.LOG else told.data)

    def _cancel(self, reason: str) -> None:
        """Stop those that go on."""
        live = [one.id for id, one in self._handles.items() if id not in self._ended]
        if live:
            self._jober.store.runs.cancel_all(live, f"the batch was stopped: {reason}")


class Batches(ByHand):
    """Running batches."""

    @checked
    def batch(
        self,
        jobs: Sequence[Mapping[str, Any]],
        *,
        logs: str | os.PathLike[str] | None = None,
        fail_fast: bool = False,
        at_once: int | None = None,
    ) -> Batch:
        """Run a list of commands to the end of all, each after those that it waits for.

        Each is a dict with `id` and `command` (text, split as a shell would, or a list; with
        `shell` for a shell), and where wanted `waiting` (ids), `retry`, `delay`, `backoff`,
        `timeout`, `cwd`, `env`, `roles`. What waits for one that did not succeed is not run, and
        the rest is; by `fail_fast` nothing more is begun then, and what runs is stopped. With
        `logs`, what each wrote is in `<id>.log` of that folder. At most `at_once` run at a time.

        Raises DefinitionError for what is no such list, an unknown id, a loop.

        >>> jober.batch([{"id": "a", "command": "make a"},
        ...              {"id": "b", "command": "make b", "waiting": ["a"]}]).report()
        """
        from jober.batch import read_items

        if at_once is not None and at_once < 1:
            raise JoberError(f"at_once is {at_once}: at least one has to run at a time")
        batch = Batch(
            self,
            read_items(jobs),
            logs=None if logs is None else Path(logs),
            fail_fast=fail_fast,
            at_once=at_once,
        )
        batch.run()
        return batch
