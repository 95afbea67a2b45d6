"""How the web part serves: values that `jober-web` reads from its arguments."""

from dataclasses import dataclass, field

from jober_web.access.settings import AccessSettings

DEFAULT_BIND = "127.0.0.1:8900"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the application serves.

    `root_path` is the path that a proxy takes away before it asks us, such as `/jober`.
    Default: none. `access` says how it is found out who asks.
    """

    root_path: str = ""
    access: AccessSettings = field(default_factory=AccessSettings)
