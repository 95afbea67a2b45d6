"""Which hosts a run goes to: the live ones that match, in the order that the job prefers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from jober import roles
from jober.agent_info import AgentInfo

# How many hosts that a job ran on are remembered for `prefer = "spread"`.
REMEMBERED = 200


class Use(NamedTuple):
    """What a host has to do, and could have."""

    running: int
    slots: int

    @property
    def share(self) -> float:
        return self.running / self.slots if self.slots else 1.0

    @property
    def is_full(self) -> bool:
        return self.running >= self.slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The live hosts that take runs: the roles of each, and its use as far as it is known.

    Two rosters are equal where the same hosts have the same roles.
    """

    roles_of: tuple[tuple[str, frozenset[str]], ...]
    use_of: Mapping[str, Use] = field(default_factory=dict, compare=False)
    _hosts: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, agents: Iterable[AgentInfo]) -> "Roster":
        """Two agents on one host are one host, with the roles and the slots of both."""
        found: dict[str, frozenset[str]] = {}
        use: dict[str, Use] = {}
        for agent in agents:
            if agent.state == "up":
                found[agent.host] = found.get(agent.host, frozenset()) | agent.roles
                running, slots = use.get(agent.host, Use(0, 0))
                use[agent.host] = Use(running + agent.running, slots + agent.slots)
        return cls(roles_of=tuple(sorted(found.items())), use_of=use)

    def hosts_for(self, queue: str) -> tuple[str, ...]:
        """The hosts that serve a role expression."""
        known = self._hosts.get(queue)
        if known is None:
            known = tuple(host for host, has in self.roles_of if roles.matches(queue, has))
            self._hosts[queue] = known
        return known

    def with_more(self, more: Mapping[str, int]) -> "Roster":
        """The same hosts, with so many more runs on some of them."""
        use = {
            host: Use(use.running + more.get(host, 0), use.slots)
            for host, use in self.use_of.items()
        }
        return Roster(roles_of=self.roles_of, use_of=use, _hosts=self._hosts)


def without_work(queue: str, agents: Iterable[AgentInfo]) -> list[tuple[str, str]]:
    """The live hosts with a role of the expression that take no new runs, and the state of each."""
    return sorted(
        {
            (agent.host, agent.state)
            for agent in agents
            if agent.state != "up" and roles.matches(queue, agent.roles)
        }
    )


def place(
    hosts: Sequence[str],
    n: int,
    prefer: str,
    *,
    use: Mapping[str, Use],
    before: Sequence[str] = (),
    seed: str = "",
) -> tuple[str, ...]:
    """The `n` hosts that are preferred, or all where there are fewer; full ones come last.

    `before` are the hosts that the job ran on, the latest last. What is left to chance is drawn by
    `seed`: the same for the same fire.
    """
    order = sorted(hosts)
    if prefer in ("least", "random"):
        Random(seed).shuffle(order)

    def rank(host: str) -> tuple[bool, float]:
        has = use.get(host, Use(0, 1))
        match prefer:
            case "least":
                return has.is_full, has.share
            case "pack":
                return has.is_full, -has.share
            case "spread":
                return has.is_full, before.index(host) if host in before else -1
            case _:
                return has.is_full, 0

    return tuple(sorted(order, key=rank)[:n])


def choose_one(
    hosts: Sequence[str],
    prefer: str,
    *,
    use: Mapping[str, Use],
    before: Sequence[str] = (),
    seed: str = "",
) -> str | None:
    """The host that a run on any of them goes to first; None leaves it to whichever is free first,
    which is the way of `least`: the agents themselves let the less busy ones go first."""
    if prefer == "least" or not hosts:
        return None
    (host,) = place(hosts, 1, prefer, use=use, before=before, seed=seed)
    return None if use.get(host, Use(0, 1)).is_full else host


def placed(before: Sequence[str], hosts: Sequence[str]) -> tuple[str, ...]:
    """What is to be remembered once the job runs on `hosts`: the latest last."""
    return (*(host for host in before if host not in hosts), *hosts)[-REMEMBERED:]
