"""The only room that talks to Redis.

Every change of state is one script in `lua/`, told of in its header; the classes here call
them and read what they wrote. `Store` holds one of each, over one pool of connections.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from jober.daemon import DEFAULT_URL
from jober.store.agents import AgentStore
from jober.store.calendars import CalendarStore
from jober.store.connection import Connection
from jober.store.events import EventStore
from jober.store.fires import FireStore
from jober.store.host_logs import HostLogStore
from jober.store.jobs import JobStore
from jober.store.leader import LeaderStore
from jober.store.leases import LeaseStore
from jober.store.limits import LimitStore
from jober.store.listed_jobs import ListedJobStore
from jober.store.live_runs import LiveRunStore
from jober.store.outputs import OutputStore
from jober.store.runs import RunStore
from jober.store.services import ServiceStore

if TYPE_CHECKING:
    from jober.store.backup import BackupStore

__all__ = ["Store"]


class Store:
    """All of jober's state, at one address; safe to share between threads."""

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self.connection = Connection(url)
        self.clock = self.connection.clock
        self.calendars = CalendarStore(self.connection)
        self.jobs = JobStore(self.connection, self.calendars)
        self.listed_jobs = ListedJobStore(self.connection, self.calendars)
        self.runs = RunStore(self.connection)
        self.live_runs = LiveRunStore(self.connection)
        self.services = ServiceStore(self.connection)
        self.fires = FireStore(self.connection)
        self.leases = LeaseStore(self.connection)
        self.limits = LimitStore(self.connection)
        self.agents = AgentStore(self.connection)
        self.outputs = OutputStore(self.connection)
        self.host_logs = HostLogStore(self.connection)
        self.events = EventStore(self.connection)
        self.leader = LeaderStore(self.connection)

    @cached_property
    def backup(self) -> "BackupStore":
        """Loaded where it is asked for: it takes a while, and most commands never ask."""
        from jober.store.backup import BackupStore

        return BackupStore(self.connection, self.jobs)

    @property
    def url(self) -> str:
        return self.connection.url

    def observe_time(self) -> None:
        """Set the store's clock by Redis's; raises RedisUnavailable."""
        self.connection.observe_time()

    def close(self) -> None:
        self.connection.close()
