"""What a run has used: CPU seconds and peak memory, of programs and of functions."""

import sys

from jober_worker.kernel import peak_memory_bytes
from jober_worker.warm import WarmPool
from tests.worker.in_process import InProcess
from tests.worker.programs import GROUPS, Program, sh

MB = 1_000_000
SPIN = "import time\nwhile time.process_time() < 0.5: pass\n"


def more_than(ours: int | None) -> int:
    """More than the most that this process has had, by what other tests have done in it."""
    return max(400 * MB, (ours or 0) + 100 * MB)


def test_the_cpu_time_of_a_program_and_of_those_it_waited_for_is_told() -> None:
    alone = Program(sys.executable, "-c", SPIN).run()
    assert 0.5 <= (alone.cpu_s or 0) < 1.5
    twice = sh(f'for n in 1 2; do {sys.executable} -c "{SPIN}"; done').run()
    assert 1.0 <= (twice.cpu_s or 0) < 3
    assert (sh("sleep 0.2").run().cpu_s or 0) < 0.1


def test_the_peak_memory_of_a_large_program_is_exact_and_of_a_small_one_its_own() -> None:
    """The kernel counts a program from its birth as a copy of this process, which is larger."""
    ours = peak_memory_bytes()
    size = more_than(ours)
    large = Program(sys.executable, "-c", f"len(bytearray({size}))").run()
    assert size < (large.peak_memory_bytes or 0) < size + 80 * MB
    small = sh("sleep 0.1; true").run()
    assert ours and 100_000 < (small.peak_memory_bytes or 0) < min(ours, 10 * MB)


def test_what_was_seen_before_a_program_was_loaded_is_no_figure() -> None:
    told = [Program("/bin/true").run().peak_memory_bytes for _ in range(20)]
    assert all(figure is None or figure > 100_000 for figure in told)


def test_the_memory_of_a_child_counts_where_it_is_the_largest() -> None:
    size = more_than(peak_memory_bytes())
    child = sh(f"{sys.executable} -c 'len(bytearray({size}))'; true").run()
    assert size < (child.peak_memory_bytes or 0) < size + 80 * MB


def test_a_function_is_told_of_its_own_use_and_not_of_that_of_the_run_before() -> None:
    pool = WarmPool(GROUPS, 1)
    try:
        large = InProcess("operator.mul", "x", 300 * MB, pool=pool)
        outcome = large.run()
        assert 300 * MB < (outcome.peak_memory_bytes or 0)
        assert (outcome.cpu_s or 0) > 0.01
        small = InProcess("operator.add", 1, 2, pool=pool).run()
        assert 1 * MB < (small.peak_memory_bytes or 0) < 200 * MB
        assert (small.cpu_s or 0) < 0.05
    finally:
        pool.close()
