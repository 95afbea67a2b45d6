"""The fires of many jobs on a virtual clock: how many when, and which would overlap.

Pure. `simulate` walks the fires and keeps counts alone; `overlap` follows the runs of one job.
"""

from jober.simulation.overlap import Overlaps
from jober.simulation.simulate import (
    FIRES_AT_MOST,
    BusyMinute,
    JobFires,
    Simulation,
    TooManyFires,
    simulate,
)

__all__ = [
    "FIRES_AT_MOST",
    "BusyMinute",
    "JobFires",
    "Overlaps",
    "Simulation",
    "TooManyFires",
    "simulate",
]
