"""What an agent is started with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jober.bind import Bind
from jober.daemon import host_name
from jober.errors import DefinitionError
from jober.signing import DEFINE
from jober.signing.key_file import read_trusted
from jober.signing.keyring import Keyring
from jober.signing_errors import SigningError
from jober_worker.allow import AllowList
from jober_worker.options import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`drain_s`: how long runs may go on after SIGTERM before they are stopped too. `log_dir` is
    where whole logs are kept, for `log_keep_s` and up to `log_bytes` of them all; `journal_dir` is
    where results are kept while Redis is away. With
    `accept_pickle`, plain RQ jobs may be pickled: whoever may write to Redis may run code here.
    `filter` names a function that is asked about each run; `allow` is what the host runs at all;
    `metrics` is where Prometheus is answered. With `trusted` keys nothing runs that none of them
    has signed, but for plain RQ jobs of `unsigned_queues`; `secrets` are the folders that secrets
    are read from."""

    redis: str
    host: str
    roles: frozenset[str]
    slots: int
    drain_s: float
    log_level: str
    log_dir: Path
    log_keep_s: float
    log_bytes: int
    journal_dir: Path
    accept_pickle: bool = False
    filter: str | None = None
    allow: AllowList = field(default_factory=AllowList)
    metrics: Bind | None = None
    log_format: str = "text"
    trusted: Keyring | None = None
    unsigned_queues: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Told], allow: AllowList) -> "Settings":
        """The settings of the options. Raises DefinitionError."""
        value = {name: one.value for name, one in told.items()}
        try:
            trusted = Keyring(read_trusted(value["trust"])) if value["trust"] else None
        except SigningError as error:
            raise DefinitionError(
                str(error), field="trust", value=value["trust"], file=told["trust"].source
            ) from None
        if trusted is not None and not trusted:
            raise DefinitionError(
                f"there is no key in {value['trust']}",
                field="trust",
                mend="`jober key public FILE` prints what belongs there",
                file=told["trust"].source,
            )
        roles = value["roles"]
        if forbidden := sorted(roles - allow.roles(roles)):
            raise DefinitionError(
                f"[allow] roles of {allow.file} does not name '{forbidden[0]}'",
                field="roles",
                value=sorted(roles),
                mend="add it there, or leave it out",
                file=told["roles"].source,
            )
        return cls(
            redis=value["redis"],
            host=host_name(value["host"]),
            roles=roles,
            slots=value["slots"],
            drain_s=value["drain"],
            log_level=value["log_level"],
            log_format=value["log_format"],
            log_dir=log_dir(value["log_dir"]),
            log_keep_s=value["log_keep"] * 86_400,
            log_bytes=int(value["log_total"] * 1024**3),
            journal_dir=journal_dir(value["journal_dir"], value["log_dir"]),
            accept_pickle=value["accept_pickle"],
            filter=value["filter"],
            allow=allow,
            metrics=value["metrics"],
            trusted=trusted,
            unsigned_queues=frozenset(value["unsigned_queues"]),
            secrets=value["secrets"],
        )

    @property
    def trusts(self) -> tuple[str, ...]:
        """The ids of the keys that may define what it runs."""
        keyring = self.trusted or Keyring()
        return tuple(id for id in keyring.ids if keyring.may(id, DEFINE))

    def roles_of(self, wanted: frozenset[str]) -> frozenset[str]:
        """Those of the roles that the host may be given: nobody signs what is ordered of it, so one
        with keys has none but its own, unless its file names others."""
        allowed = self.allow.roles(wanted)
        if self.trusted is not None and "roles" not in self.allow.lists:
            allowed &= self.roles
        return allowed


def log_dir(given: str | None) -> Path:
    """The folder of whole logs: as given, else that of the service (systemd's StateDirectory),
    else /var/lib/jober/logs for root, and for others as the XDG base directories say."""
    if given:
        return Path(given).absolute()
    if service := os.environ.get("STATE_DIRECTORY"):
        return Path(service.split(":")[0], "logs")
    if os.geteuid() == 0:
        return Path("/var/lib/jober/logs")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state, "jober", "logs")


def journal_dir(given: str | None, logs: str | None) -> Path:
    """The folder of the journal: as given, else `journal` beside the folder of whole logs. Where
    that one was given, its name comes first, since /var/log/journal is systemd's."""
    if given:
        return Path(given).absolute()
    folder = log_dir(logs)
    return folder.with_name(f"{folder.name}-journal" if logs else "journal")
