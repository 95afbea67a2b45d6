"""What every room of `Jober` stands on."""

from jober.store import Store


class Access:
    """All of jober's state at one address."""

    def __init__(self, store: Store) -> None:
        self.store = store
