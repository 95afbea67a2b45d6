"""What happens in the fleet, as it is told."""

from jober.client.access import Access
from jober.client.arguments import checked
from jober.event import Event
from jober.store import Store


class Happenings(Access):
    """The events."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.events = store.events

    @checked
    def recent_events(self, limit: int = 100) -> list[Event]:
        """The newest events, newest first."""
        return self.store.events.newest(limit)
