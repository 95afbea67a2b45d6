"""Many agents in one process, as Redis sees them.

Each has a connection pool of its own, and asks Redis what a real agent asks, with the same code:
the worker's own fetcher claims and waits at the bells, its own reporter reports, each listens for
commands and renews its leases every 2 s. Only the runs themselves are left out: they are over as
soon as they are claimed. It is called with an address, the number of the first, and how many there
are; a line on standard input is answered by a line of JSON, with what they have done so far.
"""

import json
import selectors
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from jober import __version__, roles
from jober.agent_info import AgentInfo
from jober.ids import agent_id
from jober.run import Claim, Outcome, RunState
from jober.store import Store, keys
from jober.store.leases import Claimed, LeaseStore
from jober.store.report import Finish
from jober_worker.ahead import Ahead
from jober_worker.fetcher import Fetcher
from jober_worker.renewer import RENEW_S
from jober_worker.reporter import Reporter
from jober_worker.slots import Slots

if TYPE_CHECKING:
    from redis.client import PubSub

    from jober_worker.agent import Agent

SLOTS = 10
TOOK_S = 0.0001
# A thread of Python asks for 8 MiB of addresses by itself; thousands of them get along with this.
STACK_BYTES = 256 * 1024


@dataclass(slots=True)
class Count:
    """What the agents of a process have done: `woken` by a bell, `claims` asked for, `runs` had of
    them, and `empty` of those that a bell was the reason for."""

    woken: int = 0
    claims: int = 0
    runs: int = 0
    empty: int = 0


class CountedLeases(LeaseStore):
    """Counts, and does as it is."""

    def __init__(self, store: Store, count: Count) -> None:
        super().__init__(store.connection)
        self._count = count
        self._rung = False

    def wait(self, queues: Sequence[str], wait_s: float) -> bool:
        self._rung = super().wait(queues, wait_s)
        self._count.woken += self._rung
        return self._rung

    def claim(self, *told: Any, **more: Any) -> Claimed:
        claimed = super().claim(*told, **more)
        self._count.claims += 1
        self._count.runs += len(claimed.runs)
        self._count.empty += self._rung and not claimed.runs
        self._rung = False
        return claimed


class SimulatedAgent:
    """What the parts of an agent ask of the whole, and nothing behind it."""

    def __init__(self, url: str, number: int, count: Count) -> None:
        self.store = Store(url)
        self.store.leases = CountedLeases(self.store, count)
        host = f"host-{number}"
        self.id = agent_id(host)
        self.roles = frozenset({"default"})
        self.trust = None
        self.settings = SimpleNamespace(host=host, slots=SLOTS)
        self.open = threading.Event()
        self.open.set()
        self.slots = Slots(SLOTS)
        self.ahead = Ahead(SLOTS)
        self.reporter = Reporter(self.store, self.id, lambda _: None)
        self.fetcher = Fetcher(cast("Agent", self))

    def start(self) -> None:
        self.store.observe_time()
        info = AgentInfo(
            id=self.id,
            host=self.settings.host,
            pid=1,
            roles=self.roles,
            own_roles=self.roles,
            slots=SLOTS,
            version=__version__,
        )
        self.store.agents.join(info, self.queues())
        self.reporter.part.start()
        self.fetcher.part.start()

    def queues(self) -> list[str]:
        return self.served(self.store.agents.queues())

    def served(self, queues: Sequence[str]) -> list[str]:
        return roles.served(queues, self.roles, self.settings.host)

    def start_runs(self, claims: Sequence[Claim]) -> None:
        now_ms = self.store.clock.now_ms()
        outcome = Outcome(state=RunState.SUCCESS, exit_code=0, cpu_s=TOOK_S)
        for claim in claims:
            self.ahead.took(TOOK_S)
            end = Finish(claim=claim, host=self.settings.host, outcome=outcome, began_ms=now_ms)
            self.reporter.put([end])

    def renew(self) -> None:
        self.store.observe_time()
        self.store.agents.renew(self.id, [], running=0, load=0.0, state="up")

    def listen(self) -> "PubSub":
        """Where its commands arrive."""
        channel: PubSub = self.store.connection.client.pubsub(ignore_subscribe_messages=True)
        channel.subscribe(keys.rq_pubsub(self.id), keys.CONTROL)
        return channel


def main(url: str, first: int, number: int) -> None:
    threading.stack_size(STACK_BYTES)
    count = Count()
    agents = [SimulatedAgent(url, n, count) for n in range(first, first + number)]
    for one in agents:
        one.start()

    def renew() -> None:
        # Each in its turn, as those that were started by and by.
        while True:
            began = time.monotonic()
            for place, one in enumerate(agents):
                one.renew()
                rest = began + RENEW_S * (place + 1) / number - time.monotonic()
                if rest > 0:
                    time.sleep(rest)

    def hear() -> None:
        # A thread for all of them: a real agent's wakes up once a second, and asks nothing.
        with selectors.DefaultSelector() as heard:
            for one in agents:
                channel = one.listen()
                connection: Any = channel.connection
                heard.register(connection._sock, selectors.EVENT_READ, (one, channel))
            while True:
                for key, _ in heard.select():
                    one, channel = key.data
                    message = channel.get_message()
                    if message:
                        one.fetcher.refresh(json.loads(message["data"]).get("queues", ()))

    threading.Thread(target=renew, daemon=True).start()
    threading.Thread(target=hear, daemon=True).start()
    print("ready", flush=True)
    for _ in sys.stdin:
        facts = {name: getattr(count, name) for name in count.__slots__}
        print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
