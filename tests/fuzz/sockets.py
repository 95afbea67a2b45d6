"""What processes of a run say at the socket of their agent: whatever it is, others are heard."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jober.agent_socket import Connection
from jober_worker.listener import Listener
from tests.fuzz.anything import VALUE
from tests.fuzz.target import Check, Target
from tests.worker.test_listener import Heard

_STEP = ("done", "total", "message", "group")
_LINE = ("at_ms", "level", "logger", "message")


def _as_json(value: Any) -> bytes:
    return json.dumps(value, default=repr).encode("utf-8", "surrogatepass")


def _near(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(names), VALUE, max_size=4) | VALUE


SAID = st.one_of(
    st.binary(max_size=30),
    VALUE.map(_as_json),
    st.fixed_dictionaries({"progress": _near(_STEP)}).map(_as_json),
    st.fixed_dictionaries({"log": _near(_LINE)}).map(_as_json),
    st.fixed_dictionaries(
        {
            "log": st.fixed_dictionaries(
                {"at_ms": VALUE | st.just(1e30)} | dict.fromkeys(_LINE[1:], VALUE)
            )
        }
    ).map(_as_json),
    st.dictionaries(st.sampled_from(["token", "sync", "log", "progress"]), VALUE).map(_as_json),
)


@contextmanager
def _open(folder: Path) -> Iterator[Check]:
    listener = Listener()
    listener.open()
    listener.part.start()
    heard = Heard(listener, "run")
    with listener.serving(heard.attempt):

        def check(case: tuple[bool, list[bytes]]) -> None:
            knows_secret, said = case
            one = socket.socket(socket.AF_UNIX)
            one.connect(listener.path)
            try:
                if knows_secret:
                    one.sendall(_as_json({"token": heard.attempt.token}) + b"\n")
                one.sendall(b"\n".join([*said, b""]))
            except OSError:
                pass  # it was hung up on
            # Another process of the same run is heard as ever, and by the same thread.
            other = Connection(listener.path, heard.attempt.token)
            other.send({"progress": {"done": 7, "total": 9}})
            other.sync()
            assert heard.done == 7
            other.close()
            one.close()
            assert not listener.part.is_dead
            heard.written.clear()

        yield check
    listener.close()


TARGETS = (
    Target(
        name="words at the socket",
        cases=5_000,
        few=50,
        given=st.tuples(st.booleans(), st.lists(SAID, min_size=1, max_size=3)),
        open=_open,
    ),
)
