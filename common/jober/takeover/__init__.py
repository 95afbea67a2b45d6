"""Taking over what a host runs by itself, and the proof before anything is switched.

`host` reads all crontabs and timers of a `Root` (`crontabs`, `timers`) as one jobs file, by the
readers of `jober.importing`. `log_files` reads the host's own log, `log_line` a message of it, and
`evidence` is what it shows; `agreement` sets that beside what the schedules decide, and `reasons`
looks for the reason of each difference. `switching` tells how to switch. Nothing here does.
"""

from jober.takeover.host import TakeoverOptions, read_host
from jober.takeover.root import Root

__all__ = ["Root", "TakeoverOptions", "read_host"]
