"""What every room of `Jober`, and every handle of a run, stands on."""

from typing import TYPE_CHECKING

from jober.client.home import Home
from jober.store import Store

if TYPE_CHECKING:
    from jober.embedded.member import Membership


class Access:
    """All of jober's state at one address, and where its runs are at home."""

    def __init__(self, store: Store, membership: "Membership | None" = None) -> None:
        self.store = store
        self.home = Home(membership)

    def now_ms(self) -> int:
        """The moment, by the clock of Redis as it was heard last."""
        return self.store.clock.now_ms()
