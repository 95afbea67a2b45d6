"""A fleet's state in a Redis of its own, and whether a call has left it as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from jober import Jober
from jober.embedded import RedisServer
from jober.output import Frame, Stream
from jober.store.outputs import Piece
from tests.store.hand import Hand

JOBS = ("nightly", "everywhere", "served")
RUNS = ("nightly-m1", "nightly-m2", "nightly-m3", "everywhere-m4")
HOST = "host1"

Keys = dict[bytes, tuple[bytes | None, bool]]


class Seeded:
    """Jobs, a limit, a calendar, an agent, and runs that wait, run and have ended."""

    def __init__(self, url: str) -> None:
        self.jober = Jober(url)
        self.url = url
        self.seed()

    def seed(self) -> None:
        """As at first, whatever has become of it."""
        store = self.jober.store
        store.connection.command("FLUSHALL")
        store.observe_time()
        hand = Hand(store)
        self.jober.set_limit("database", 2)
        hand.job("nightly", cron="0 3 * * *", limits=["database"], env={"A": "b"})
        hand.job("everywhere", every=3600, on="every")
        hand.job("served", service=True)
        hand.agent()
        hand.run("nightly")
        [claim] = hand.claim(n=1)
        frame = Frame(seq=1, stream=Stream.STDOUT, at_ms=1, offset=0, data=b"out\n")
        store.outputs.add([Piece(run=claim.id, frames=(frame,))])
        hand.finish(claim, exit_code=0)
        hand.run("nightly")
        hand.claim(n=1)
        hand.run("nightly")
        hand.run("everywhere", HOST)
        # Nothing goes by itself while cases are tried.
        for key in store.connection.client.scan_iter():
            store.connection.command("PERSIST", key)
        self._keys = self.keys()

    def keys(self) -> Keys:
        """All that Redis holds: each key with its value as DUMP tells it, and if it is to go."""
        redis = self.jober.store.connection.client
        names = sorted(redis.scan_iter(count=1000))
        pipeline = redis.pipeline(transaction=False)
        for name in names:
            pipeline.dump(name)
            pipeline.pttl(name)
        found = pipeline.execute()
        return {
            name: (value, ttl >= 0)
            for name, value, ttl in zip(names, found[::2], found[1::2], strict=True)
        }

    def check_unchanged(self, by: str) -> None:
        """Raises AssertionError that names the keys that something refused has changed."""
        now, before = self.keys(), self._keys
        changed = [name for name in sorted({*now, *before}) if now.get(name) != before.get(name)]
        if changed:
            self.seed()
        assert not changed, f"{by} was refused, and has changed {changed}"

    def check_whole(self) -> None:
        """All that is there can be read; then it is as at first again."""
        if self.keys() == self._keys:
            return
        jober = self.jober
        for record in jober.jobs():
            record.to_dict()
            jober.ledger(record.name)
            jober.why(record.name)
        for run in jober.runs(limit=1000):
            run.to_dict()
            jober.store.runs.attempts(run.id)
            jober.handle(run.id).output.bytes()
        jober.limits()
        jober.agents()
        jober.recent_events(1000)
        jober.store.agents.orders()
        self.seed()


@contextmanager
def seeded() -> Iterator[Seeded]:
    with RedisServer() as server:
        state = Seeded(server.url)
        try:
            yield state
        finally:
            state.jober.close()
