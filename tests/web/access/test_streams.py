"""A stream that is open ends for who may see it no more."""

from itertools import islice

import pytest

from jober.access import Actor
from jober.client.people import People
from jober_web.stream import followers, routes
from tests.store.hand import Hand
from tests.web.conftest import TEST, Web

ROOT = Actor(name="root@host", via="cli")
# One that goes on has ten in a second.
PIECES = 300


@pytest.mark.parametrize("stream", ["/api/v1/events", "/api/v1/runs/{run}/output/stream"])
@pytest.mark.parametrize("change", ["revoked", "user gone", "other rights"])
def test_a_stream_ends_soon_after_the_rights_have_changed(
    web: Web, hand: Hand, monkeypatch: pytest.MonkeyPatch, stream: str, change: str
) -> None:
    monkeypatch.setattr(routes, "AGAIN_S", 0.1)
    monkeypatch.setattr(followers, "HEARTBEAT_S", 0.1)
    people = People(web.jober)
    people.add_user("ann", "correct horse", "viewer", ROOT)
    token, text = people.make_token("t", "viewer", TEST, user="ann")
    hand.job()
    path = stream.format(run=hand.run())
    with web.browser(text) as client, client.stream("GET", path) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_bytes()
        for _ in range(5):
            next(pieces)  # it goes on while nothing has changed
        if change == "revoked":
            people.revoke_token(token.id, ROOT)
        elif change == "user gone":
            people.remove_user("ann", ROOT)
        else:
            people.set_rights("ann", "viewer", ROOT, tags=["other"])
        assert sum(1 for _ in islice(pieces, PIECES)) < PIECES, "it has no end"
