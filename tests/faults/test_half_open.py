"""A line that is cut in the middle tells neither end: who only listens finds out all the same."""

import os
import subprocess
import sys

from jober.pace import VARIABLE as PACE
from jober.store import Store
from tests.faults.network import Host, Network, redis_on
from tests.fleet import ROOT
from tests.waiting import wait_until

# At a fifth of the time that it takes otherwise.
FAST = {PACE: "0.2"}
LISTEN = """
import sys
from jober.errors import RedisUnavailable
from jober.store import Store
try:
    Store(sys.argv[1]).agents.listen(sys.argv[2], print, lambda: False)
except RedisUnavailable as error:
    print(error)
"""


def listener(host: Host, url: str) -> "subprocess.Popen[str]":
    """Hears the commands for an agent, as an agent does."""
    with host.entered():
        return subprocess.Popen(
            [sys.executable, "-u", "-c", LISTEN, url, host.name],
            env=os.environ | FAST,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )


def test_who_listens_on_a_line_that_is_cut_learns_of_it_and_who_is_connected_goes_on(
    network: Network,
) -> None:
    redis = network.host("redis")
    cut, mute, deaf, whole = hosts = [network.host(n) for n in ("cut", "mute", "deaf", "whole")]
    with redis_on(redis) as (server, url):
        listeners = [listener(host, url) for host in hosts]
        channels = [f"rq:pubsub:{host.name}" for host in hosts]
        store = Store(server.url)
        publish = store.connection.command
        wait_until(lambda: publish("PUBSUB", "NUMSUB", *channels)[1::2] == [1] * 4, told="all hear")
        cut.cut()
        mute.lose(sent=100)
        deaf.lose(received=100)
        for one in listeners[:3]:
            # By the kernel alone, it would be a quarter of an hour and more.
            told, _ = one.communicate(timeout=60)
            assert "Timeout connecting to server" in told
        publish("PUBLISH", "rq:pubsub:whole", '{"command": "queues"}')
        with listeners[3] as listening:
            assert listening.stdout is not None
            assert listening.stdout.readline() == "{'command': 'queues'}\n"
            listening.kill()
        store.close()
