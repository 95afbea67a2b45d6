"""What a run may use: `memory`, `cpus`, `cpu_time`, and the reasons it ends with when it is over.

It is enforced by a cgroup (memory, cpus; see `cgroups`) and by the kernel's resource limits
(cpu_time; the memory of each process, where no cgroup can hold it).
"""

import math
import resource
import signal
from dataclasses import dataclass

from jober_worker.kernel import LIMITED

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
CPU_PERIOD_US = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`memory` in bytes, `cpus` in processors, `cpu_time` in seconds (the kernel takes whole ones);
    None is no limit."""

    memory: int | None = None
    cpus: float | None = None
    cpu_time: float | None = None

    @property
    def wants_group(self) -> bool:
        """Whether a cgroup would hold any of them."""
        return self.memory is not None or self.cpus is not None

    def group_files(self) -> dict[str, dict[str, str]]:
        """What is written to the files of a cgroup v2, by controller.

        >>> Limits(memory=1024).group_files()
        {'memory': {'memory.max': '1024', 'memory.swap.max': '0'}}
        >>> Limits(cpus=1.5).group_files()
        {'cpu': {'cpu.max': '150000 100000'}}
        """
        files: dict[str, dict[str, str]] = {}
        if self.memory is not None:
            # Else what is over the limit would go to the swap, and the host with it.
            files["memory"] = {"memory.max": str(self.memory), "memory.swap.max": "0"}
        if self.cpus is not None:
            # Less than 1 ms in a period is refused by the kernel.
            quota = max(1000, round(self.cpus * CPU_PERIOD_US))
            files["cpu"] = {"cpu.max": f"{quota} {CPU_PERIOD_US}"}
        return files

    def resource_limits(self, held: frozenset[str]) -> list[tuple[int, int]]:
        """The limits of each process; `held` are the controllers that hold what they can."""
        found = []
        if self.cpu_time is not None:
            found.append((resource.RLIMIT_CPU, math.ceil(self.cpu_time)))
        if self.memory is not None and "memory" not in held and resource.RLIMIT_DATA in LIMITED:
            # Not RLIMIT_AS: runtimes reserve address space by the gigabyte, and use little of it.
            found.append((resource.RLIMIT_DATA, self.memory))
        return found

    def notes(self, held: frozenset[str]) -> list[str]:
        """What of it this host cannot enforce, or not as asked."""
        where = "no cgroup v2 with a {} controller that the agent may write to is here"
        found = []
        if self.cpus is not None and "cpu" not in held:
            found.append(
                f"cpus = {self.cpus:g} is not enforced on this host: {where.format('cpu')}"
            )
        if self.memory is not None and "memory" not in held:
            holds = "holds for each process by itself"
            if resource.RLIMIT_DATA not in LIMITED:
                holds = "is not enforced"
            found.append(
                f"memory = {shown_bytes(self.memory)} {holds} on this host: "
                f"{where.format('memory')}"
            )
        return found

    def why_killed(self, number: int, cpu_s: float, out_of_memory: bool) -> str | None:
        """Which limit a process was over that a signal has killed after `cpu_s`; None where none
        is known. One that lives on after SIGXCPU is killed a second of CPU later."""
        if self.cpu_time is not None and (
            number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_s >= self.cpu_time)
        ):
            return f"over its cpu_time of {self.cpu_time:g} s"
        if out_of_memory and self.memory is not None:
            return f"over its memory limit of {shown_bytes(self.memory)}"
        return None


def shown_bytes(count: int) -> str:
    """As one would write it.

    >>> shown_bytes(536870912), shown_bytes(1000)
    ('512M', '1000')
    """
    for unit in ("T", "G", "M", "K"):
        if count >= _UNITS[unit] and count % _UNITS[unit] == 0:
            return f"{count // _UNITS[unit]}{unit}"
    return str(count)
