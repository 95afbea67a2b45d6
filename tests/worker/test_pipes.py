"""The pipes of a program: every byte, in its order, and no descriptor left behind."""

import fcntl
import hashlib
import os
import random
import sys

import pytest

from jober_worker.pipes import LARGE_PIPE, USUAL_PIPE, Pipes
from tests.worker.programs import Program, sh


def test_merged_streams_come_in_the_order_in_which_they_were_written() -> None:
    turns = "import os\nfor n in range(2000):\n os.write(1 + n % 2, b'%d\\n' % n)\n"
    program = Program(sys.executable, "-c", turns, stderr="merge")
    program.run()
    assert program.out.split() == [b"%d" % n for n in range(2000)]
    assert program.err == b""


def test_output_that_nobody_wants_is_taken_by_the_system() -> None:
    program = sh("echo out && echo err >&2 && readlink /proc/self/fd/1 >&2", output="none")
    assert program.run().exit_code == 0
    assert (program.out, program.err) == (b"", b"")


def test_fifty_megabytes_of_noise_come_through_whole() -> None:
    digest = hashlib.sha256()
    program = Program(
        sys.executable,
        "-c",
        "import random, sys\nsys.stdout.buffer.write(random.Random(1).randbytes(1_000_003) * 50)\n",
    )
    program.program._write = lambda _, data: digest.update(data)
    assert program.run().exit_code == 0
    noise = random.Random(1).randbytes(1_000_003) * 50
    assert digest.digest() == hashlib.sha256(noise).digest()


def test_a_pipe_that_is_found_full_is_made_larger() -> None:
    pipes = Pipes(lambda *_: None)
    out, err = pipes.streams
    os.write(pipes.stderr, b"a few words")
    assert os.write(pipes.stdout, b"x" * USUAL_PIPE) == USUAL_PIPE
    assert pipes.pass_on(out) and pipes.pass_on(err)
    assert fcntl.fcntl(out, fcntl.F_GETPIPE_SZ) == LARGE_PIPE
    assert fcntl.fcntl(err, fcntl.F_GETPIPE_SZ) == USUAL_PIPE
    pipes.close()


@pytest.mark.parametrize("options", [{}, {"merged": True}, {"thrown": True}])
def test_pipes_leave_no_descriptor_behind(options: dict[str, bool]) -> None:
    before = os.listdir("/proc/self/fd")
    pipes = Pipes(lambda *_: None, **options)
    assert len(os.listdir("/proc/self/fd")) > len(before)
    pipes.close()
    pipes.close()
    assert os.listdir("/proc/self/fd") == before
