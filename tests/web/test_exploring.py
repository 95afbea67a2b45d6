"""The description of the API holds: nothing that is sent makes the server fail, and each answer is
one of those that are described."""

import os

from tests.store.hand import Hand
from tests.web.conftest import Web
from tests.web.exploring import explore
from tests.web.seeded import seed


def test_each_answer_is_described_and_the_server_never_fails(web: Web, hand: Hand) -> None:
    examples = int(os.environ.get("JOBER_EXAMPLES", "5"))  # more by `make explore`
    assert explore(web, seed(web, hand), examples) >= 35
