"""The systems that jober is measured beside, each in its own best configuration.

Each has a module of its own, which its workers load, and which fills its queue when it is run as a
program: `python -m benchmarks.peers.NAME COUNT`. All do nothing, `COUNT` times; the last ten tasks
also count `RAN` up, so that it is certain that they ran. Redis is at the socket `BENCH_SOCKET`.
"""

import os

RAN = "bench:ran"
COUNTED = 10


def socket() -> str:
    """The path of the socket of the Redis that is measured on."""
    return os.environ["BENCH_SOCKET"]
