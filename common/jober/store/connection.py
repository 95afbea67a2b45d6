"""The connection to Redis: its address, its errors, and the one way to run a script."""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from jober.store import lean  # isort: skip  # noqa: F401 - before redis
import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import parse_url
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry
from redis.sentinel import Sentinel

from jober.clock import RedisClock
from jober.errors import DefinitionError, NotConfirmed, RedisRefused, RedisUnavailable, did_you_mean
from jober.pace import paced_s
from jober.schema import check_schema
from jober.store.keys import SCHEMA
from jober.store.password_file import PasswordFile, take_password_file
from jober.store.scripts import script

# What may stand after the `?`, beside ssl_…, in an address; and in one of Sentinels.
_OPTIONS = ("db", "username", "password", "password_file", "wait_replicas")
_SENTINEL_OPTIONS = (
    "password_file",
    "sentinel_password",
    "sentinel_password_file",
    "wait_replicas",
)
_WAIT_OPTION = re.compile(r"(?<=[?&])wait_replicas=([^&#]*)&?")
_SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
_TLS_SCHEMES = ("rediss", "rediss+sentinel")
SCHEMES = ("redis", "rediss", "unix", *_SENTINEL_SCHEMES)

# A reply that takes longer than this is given up, and the call sent again. Some wait for a second.
TIMEOUT_S = 1.0 + paced_s(4.0)
CONNECT_S = paced_s(2.0)
# Who only listens waits for no reply, and a line that is cut says nothing: the kernel asks the
# other end so often, and gives the connection up that has not answered for so long. By itself it
# would take a quarter of an hour and more.
PROBE_S = paced_s(5.0)
SILENCE_S = paced_s(15.0)
# A Sentinel that does not answer for so long is passed over.
SENTINEL_TIMEOUT_S = paced_s(1.0)
# With `wait_replicas`, replicas have so long to confirm what was written.
CONFIRM_S = paced_s(1.0)
# How a server refuses that is not the primary any more, or has lost its replicas.
_DEMOTED = ("READONLY", "NOREPLICAS")


def shown(url: str) -> str:
    """The address without its password, for people and logs; how it is written to is left out."""
    return re.sub(r"(?<=//)[^/@]*@", "***@", _without_wait(url))


def _without_wait(url: str) -> str:
    return _WAIT_OPTION.sub("", url).rstrip("?&")


def _replicas_to_wait_for(url: str) -> int:
    """`wait_replicas` of an address. Raises DefinitionError."""
    found = _WAIT_OPTION.search(url)
    if found is None:
        return 0
    if not found[1].isdecimal():
        raise DefinitionError(
            f"'{found[1]}' is not a number of replicas",
            field="redis",
            mend="as redis://host:6379/0?wait_replicas=1",
        )
    return int(found[1])


def connect(url: str) -> "redis.Redis":
    """A client for `redis://`, `rediss://`, `unix://` or
    `redis+sentinel://[user:password@]host:port,host:port/service/db` (`rediss+sentinel://`: all by
    TLS). The primary is asked of the Sentinels with each new connection.

    Nothing is sent yet. Raises DefinitionError where the address cannot be read.
    """
    scheme = url.split("://", 1)[0]
    if "://" not in url or scheme not in SCHEMES:
        raise DefinitionError(
            f"'{shown(url)}' is not an address of Redis",
            field="redis",
            mend="one of " + ", ".join(f"{known}://" for known in SCHEMES),
        )
    options: dict[str, Any] = {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": CONNECT_S,
        "socket_keepalive": True,
        "socket_keepalive_options": _keepalive(),
        "health_check_interval": 30,
        "client_name": "jober",
        "protocol": 2,
        # Every script may be sent twice, so a lost reply is answered by sending again.
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
    }
    if scheme == "unix":
        del options["socket_keepalive"], options["socket_keepalive_options"]
    try:
        _check(url, scheme)
        url, login = take_password_file(_without_wait(url))
        if login is not None:
            options["credential_provider"] = login
        if scheme in _SENTINEL_SCHEMES:
            return _connect_sentinel(url, options)
        client: redis.Redis = redis.Redis.from_url(url, **options)
        return client
    except ValueError as error:
        raise DefinitionError(
            f"{shown(url)}: {error}",
            field="redis",
            mend="as redis://:password@host:6379/0, or unix:///path/redis.sock?db=0",
        ) from None


def _keepalive() -> dict[int, int]:
    """The kernel's options for it, as far as the system has them. What was sent and is not
    acknowledged has one of its own."""
    wanted = {
        "TCP_KEEPIDLE": max(1, round(PROBE_S)),
        "TCP_KEEPINTVL": max(1, round(PROBE_S)),
        "TCP_KEEPCNT": round(SILENCE_S / PROBE_S),
        "TCP_USER_TIMEOUT": round(SILENCE_S * 1000),
    }
    return {getattr(socket, name): n for name, n in wanted.items() if hasattr(socket, name)}


def _check(url: str, scheme: str) -> None:
    """What redis-py reads over, or fails at later: a database that is no number, a port that is
    none, an option that it does not know. Raises ValueError."""
    parts = urlsplit(url)
    known = _SENTINEL_OPTIONS if scheme in _SENTINEL_SCHEMES else _OPTIONS
    if scheme in ("redis", "rediss"):
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("its port is no number from 0 to 65535") from None
        if not re.fullmatch(r"/?|/\d+", parts.path):
            raise ValueError(f"'{parts.path[1:]}' is not the number of a database")
    for option in parse_qs(parts.query):
        if option not in known and not (option.startswith("ssl_") and scheme in _TLS_SCHEMES):
            raise ValueError(f"unknown option '{option}'{did_you_mean(option, known)}")


def _connect_sentinel(url: str, options: dict[str, Any]) -> "redis.Redis":
    parts = urlsplit(url)
    login, _, addresses = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    path = [unquote(part) for part in parts.path.split("/") if part]
    if not path:
        raise ValueError("the name of the service is missing: redis+sentinel://h:26379/mymaster/0")
    hosts = []
    for address in addresses.split(","):
        host, colon, port = address.rpartition(":")
        hosts.append((host, int(port)) if colon else (address, 26379))
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = _tls(query) if parts.scheme in _TLS_SCHEMES else {}
    of_sentinels: dict[str, Any] = {
        "socket_timeout": SENTINEL_TIMEOUT_S,
        "socket_connect_timeout": SENTINEL_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),  # the next one is asked
        "password": query.get("sentinel_password"),
        **tls,
    }
    if file := query.get("sentinel_password_file"):
        del of_sentinels["password"]
        of_sentinels["credential_provider"] = PasswordFile(None, file)
    sentinel = Sentinel(
        hosts,
        sentinel_kwargs=of_sentinels,
        db=int(path[1]) if len(path) > 1 else 0,
        username=unquote(user) or None,
        password=unquote(password) or None,
        **tls,
        **options,
    )
    client: redis.Redis = sentinel.master_for(path[0])
    return client


def _tls(query: dict[str, str]) -> dict[str, Any]:
    """The `ssl_…` of an address, as the client reads those of `rediss://`. Raises ValueError."""
    told = {name: value for name, value in query.items() if name.startswith("ssl_")}
    read = dict(parse_url(f"rediss://?{urlencode(told)}"))
    del read["connection_class"]
    return {**read, "ssl": True}


class Connection:
    """A pool of connections, safe to share between threads.

    With `wait_replicas=N` in the address, a script has run only when so many replicas have
    confirmed all that was written up to then. Where they have not, it counts as a call whose reply
    was lost: it is called again, as every script may be.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = connect(url)
        self.clock = RedisClock()
        self._replicas = _replicas_to_wait_for(url)
        self._is_checked = False

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn an error of the client into RedisUnavailable, which callers may know."""
        try:
            yield
        except ResponseError as error:
            if any(word in str(error) for word in _DEMOTED):
                self._connect_anew()
            raise RedisRefused(shown(self.url), str(error)) from error
        except RedisError as error:
            problem = str(error) or type(error).__name__
            raise RedisUnavailable(shown(self.url), problem.rstrip(".")) from error
        except OSError as error:
            raise RedisUnavailable(shown(self.url), str(error)) from error

    def run(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Run the script `name`; its header in `lua/` tells keys, arguments and reply. Raises
        NewerSchema, before the first one is run, where all that is there is of a later jober."""
        if not self._is_checked:
            self.check_schema()
        action = script(name)
        with self.guard():
            try:
                return self._call(action.sha, keys, args)
            except NoScriptError:
                pass
            self.client.script_load(action.text)
            return self._call(action.sha, keys, args)

    def check_schema(self) -> None:
        """Raises NewerSchema where what this Redis has is of a later jober."""
        check_schema(f"the fleet at {shown(self.url)}", self.command("GET", SCHEMA))
        self._is_checked = True

    def _call(self, sha: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        if not self._replicas:
            return self.client.evalsha(sha, len(keys), *keys, *args)
        pipeline = self.client.pipeline(transaction=False)
        pipeline.evalsha(sha, len(keys), *keys, *args)
        pipeline.execute_command("WAIT", self._replicas, round(CONFIRM_S * 1000))
        reply, confirmed = pipeline.execute(raise_on_error=False)
        for answer in (reply, confirmed):
            if isinstance(answer, Exception):
                raise answer
        if confirmed < self._replicas:
            # It may be a primary that was cut off, and has a successor by now.
            self._connect_anew()
            raise NotConfirmed(shown(self.url), confirmed, self._replicas)
        return reply

    def _connect_anew(self) -> None:
        """Let go of the connections that nobody uses now, so that the primary is found anew."""
        self.client.connection_pool.disconnect(inuse_connections=False)

    def command(self, *args: Any) -> Any:
        """Run one command of Redis."""
        with self.guard():
            return self.client.execute_command(*args)

    def observe_time(self) -> None:
        """Set the clock by Redis's."""
        sent = time.monotonic()
        with self.guard():
            seconds, micros = self.client.time()
        self.clock.observe(seconds * 1000 + micros / 1000, sent, time.monotonic())

    def close(self) -> None:
        self.client.close()
        self.client.connection_pool.disconnect()
