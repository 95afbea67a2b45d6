"""What the kernel tells of processes and does for them: Linux's own ways, or, on other systems,
what POSIX and psutil have in their place. No other room asks which system this is.

The agent is made for Linux. Elsewhere it works for development: `MISSING` says what is not
promised there, and is empty on Linux.
"""

import sys

if sys.platform == "linux":
    from jober_worker.kernel.linux import (
        LIMITED,
        MAXRSS_BYTES,
        MISSING,
        adopt_orphans,
        all_processes,
        children_of,
        forget_peak,
        gate_limits,
        has_children,
        has_ended,
        may_be_orphans,
        now_s,
        peak_memory_bytes,
        read_process,
        sees_our_numbers,
        set_limit,
        shared_memory,
        tell_when_parent_dies,
        until_end,
        variables_of,
    )
    from jober_worker.kernel.posix_spawn import spawn
else:
    from jober_worker.kernel.elsewhere import (
        LIMITED,
        MAXRSS_BYTES,
        MISSING,
        adopt_orphans,
        all_processes,
        children_of,
        forget_peak,
        gate_limits,
        has_children,
        has_ended,
        may_be_orphans,
        now_s,
        peak_memory_bytes,
        read_process,
        sees_our_numbers,
        set_limit,
        shared_memory,
        spawn,
        tell_when_parent_dies,
        until_end,
        variables_of,
    )

__all__ = [
    "LIMITED",
    "MAXRSS_BYTES",
    "MISSING",
    "adopt_orphans",
    "all_processes",
    "children_of",
    "forget_peak",
    "gate_limits",
    "has_children",
    "has_ended",
    "may_be_orphans",
    "now_s",
    "peak_memory_bytes",
    "read_process",
    "sees_our_numbers",
    "set_limit",
    "shared_memory",
    "spawn",
    "tell_when_parent_dies",
    "until_end",
    "variables_of",
]
