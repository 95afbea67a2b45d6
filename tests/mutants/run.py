"""Every mutation must be killed: `python -m tests.mutants.run [PART OF A NAME OR FILE...]`.

Prints which test kills which mutation. First all those tests are run on the tree as it is, since
a test that fails anyway proves nothing. The status is 1 where a mutation lives, or nothing was
proved.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants.mutation import Mutation, StaleMutation, copy_tree
from tests.mutants.mutations import MUTATIONS
from tests.mutants.trial import PASSED, Trial, Verdict, run_tests, try_mutation

AT_ONCE = os.cpu_count() or 1


def chosen(parts: Sequence[str]) -> list[Mutation]:
    """The mutations that have one of these in their name, promise or file; all without any."""
    return [
        one
        for one in MUTATIONS
        if not parts or any(part in f"{one.name} {one.promise} {one.file}" for part in parts)
    ]


def main(parts: Sequence[str]) -> int:
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    mutations = chosen(parts)
    with tempfile.TemporaryDirectory(prefix="jober-mutants-") as folder:
        # As it is now: whoever goes on working meanwhile does not change what is tried.
        tree = Path(folder, "tree")
        copy_tree(tree)
        try:
            for one in mutations:
                one.mutated(tree)
        except StaleMutation as error:
            console.print(str(error), markup=False)
            return 1
        if not _pass_unchanged(tree, mutations, console):
            return 1
        trials = _try_all(tree, mutations, console)
    console.print(_table(trials))
    bad = [trial for trial in trials if trial.verdict is not Verdict.KILLED]
    for trial in bad:
        console.print(f"\n== {trial.mutation.name}: {trial.verdict}\n{trial.told}", markup=False)
    console.print(f"{len(trials) - len(bad)} of {len(trials)} mutations were killed")
    return 1 if bad else 0


def _pass_unchanged(tree: Path, mutations: Sequence[Mutation], console: Console) -> bool:
    tests = sorted({one.test for one in mutations})
    console.print(f"{len(mutations)} mutations, {len(tests)} tests; first the tests as they are")
    status, told = run_tests(tree, tests, "-n", str(AT_ONCE), limit_s=1800)
    if status == PASSED:
        return True
    console.print(told, markup=False)
    console.print("a test fails without any mutation: nothing is proved")
    return False


def _try_all(tree: Path, mutations: Sequence[Mutation], console: Console) -> list[Trial]:
    """Try them side by side; in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(try_mutation, one, tree) for one in mutations]
        for done in as_completed(futures):
            trial = done.result()
            if trial.verdict is not Verdict.KILLED:
                console.print(f"{trial.verdict}: {trial.mutation.name}", markup=False)
        return [future.result() for future in futures]


def _table(trials: Sequence[Trial]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("mutation", overflow="fold")
    table.add_column("promise")
    table.add_column("killed by", overflow="fold")
    table.add_column("s", justify="right")
    table.add_column("")
    for trial in trials:
        one = trial.mutation
        row = (one.name, one.promise, one.test.removeprefix("tests/"))
        table.add_row(*row, f"{trial.seconds:.1f}", str(trial.verdict))
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
