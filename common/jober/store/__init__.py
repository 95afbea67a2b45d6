"""The only room that talks to Redis.

Every change of state is one script in `lua/`, told of in its header; the classes here call
them and read what they wrote. `Store` holds one of each, over one pool of connections.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from jober.daemon import DEFAULT_URL
from jober.store.connection import Connection

if TYPE_CHECKING:
    from jober.signing import Signing
    from jober.store.agents import AgentStore
    from jober.store.audit import AuditStore
    from jober.store.backup import BackupStore
    from jober.store.briefs import BriefStore
    from jober.store.calendars import CalendarStore
    from jober.store.events import EventStore
    from jober.store.fires import FireStore
    from jober.store.former import FormerStore
    from jober.store.found_jobs import FoundJobStore
    from jober.store.host_logs import HostLogStore
    from jober.store.jobs import JobStore
    from jober.store.leader import LeaderStore
    from jober.store.leases import LeaseStore
    from jober.store.limits import LimitStore
    from jober.store.listed_jobs import ListedJobStore
    from jober.store.live_runs import LiveRunStore
    from jober.store.notices import NoticeStore
    from jober.store.output_feed import OutputFeed
    from jober.store.outputs import OutputStore
    from jober.store.overview import OverviewStore
    from jober.store.owners import OwnerStore
    from jober.store.runs import RunStore
    from jober.store.server import ServerStore
    from jober.store.services import ServiceStore
    from jober.store.sessions import SessionStore
    from jober.store.signatures import SignatureStore
    from jober.store.signer import Signer
    from jober.store.tokens import TokenStore
    from jober.store.users import UserStore
    from jober.store.workflows import WorkflowStore

__all__ = ["Store"]


class Store:
    """All of jober's state, at one address; safe to share between threads.

    Each of its rooms is loaded where it is first asked for: a command needs few of them.
    """

    def __init__(self, url: str = DEFAULT_URL, signing: "Signing | None" = None) -> None:
        """What is written is signed by `signing`, where there is one."""
        self._signing = signing
        self.connection = Connection(url)
        self.clock = self.connection.clock

    def check_schema(self) -> None:
        """Raises NewerSchema where what this Redis has is of a later jober."""
        self.connection.check_schema()

    @cached_property
    def signer(self) -> "Signer | None":
        if self._signing is None:
            return None
        from jober.store.signer import Signer

        return Signer(self.connection, self._signing)

    @cached_property
    def calendars(self) -> "CalendarStore":
        from jober.store.calendars import CalendarStore

        return CalendarStore(self.connection)

    @cached_property
    def jobs(self) -> "JobStore":
        from jober.store.jobs import JobStore

        return JobStore(self.connection, self.calendars, self.signer)

    @cached_property
    def listed_jobs(self) -> "ListedJobStore":
        from jober.store.listed_jobs import ListedJobStore

        return ListedJobStore(self.connection, self.calendars)

    @cached_property
    def briefs(self) -> "BriefStore":
        from jober.store.briefs import BriefStore

        return BriefStore(self.connection)

    @cached_property
    def former(self) -> "FormerStore":
        from jober.store.former import FormerStore

        return FormerStore(self.connection)

    @cached_property
    def found_jobs(self) -> "FoundJobStore":
        from jober.store.found_jobs import FoundJobStore

        return FoundJobStore(self.connection)

    @cached_property
    def overview(self) -> "OverviewStore":
        from jober.store.overview import OverviewStore

        return OverviewStore(self.connection)

    @cached_property
    def server(self) -> "ServerStore":
        from jober.store.server import ServerStore

        return ServerStore(self.connection)

    @cached_property
    def notices(self) -> "NoticeStore":
        from jober.store.notices import NoticeStore

        return NoticeStore(self.connection)

    @cached_property
    def runs(self) -> "RunStore":
        from jober.store.runs import RunStore

        return RunStore(self.connection, self.signer)

    @cached_property
    def signatures(self) -> "SignatureStore":
        from jober.store.signatures import SignatureStore

        return SignatureStore(self.connection)

    @cached_property
    def owners(self) -> "OwnerStore":
        from jober.store.owners import OwnerStore

        return OwnerStore(self.connection)

    @cached_property
    def live_runs(self) -> "LiveRunStore":
        from jober.store.live_runs import LiveRunStore

        return LiveRunStore(self.connection)

    @cached_property
    def services(self) -> "ServiceStore":
        from jober.store.services import ServiceStore

        return ServiceStore(self.connection, self.signer)

    @cached_property
    def workflows(self) -> "WorkflowStore":
        from jober.store.workflows import WorkflowStore

        return WorkflowStore(self.connection, self.signer)

    @cached_property
    def fires(self) -> "FireStore":
        from jober.store.fires import FireStore

        return FireStore(self.connection)

    @cached_property
    def leases(self) -> "LeaseStore":
        from jober.store.leases import LeaseStore

        return LeaseStore(self.connection)

    @cached_property
    def limits(self) -> "LimitStore":
        from jober.store.limits import LimitStore

        return LimitStore(self.connection)

    @cached_property
    def agents(self) -> "AgentStore":
        from jober.store.agents import AgentStore

        return AgentStore(self.connection)

    @cached_property
    def outputs(self) -> "OutputStore":
        from jober.store.outputs import OutputStore

        return OutputStore(self.connection)

    def output_feed(self) -> "OutputFeed":
        """A feed of its own for each who asks."""
        from jober.store.output_feed import OutputFeed

        return OutputFeed(self.connection)

    @cached_property
    def host_logs(self) -> "HostLogStore":
        from jober.store.host_logs import HostLogStore

        return HostLogStore(self.connection)

    @cached_property
    def events(self) -> "EventStore":
        from jober.store.events import EventStore

        return EventStore(self.connection)

    @cached_property
    def leader(self) -> "LeaderStore":
        from jober.store.leader import LeaderStore

        return LeaderStore(self.connection)

    @cached_property
    def users(self) -> "UserStore":
        from jober.store.users import UserStore

        return UserStore(self.connection)

    @cached_property
    def tokens(self) -> "TokenStore":
        from jober.store.tokens import TokenStore

        return TokenStore(self.connection)

    @cached_property
    def sessions(self) -> "SessionStore":
        from jober.store.sessions import SessionStore

        return SessionStore(self.connection)

    @cached_property
    def audit(self) -> "AuditStore":
        from jober.store.audit import AuditStore

        return AuditStore(self.connection)

    @cached_property
    def backup(self) -> "BackupStore":
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
