"""The text of an API token, and secrets."""

import pytest

from jober.access.secret import derived, hashed, is_same, new_secret
from jober.access.token import (
    check_life_s,
    check_token_id,
    check_token_name,
    new_token,
    read_token,
    token_text,
)
from jober.errors import DefinitionError


def test_a_token_is_read_as_it_was_made_and_nothing_else_is() -> None:
    for _ in range(50):  # a secret may hold what the parts are joined by
        id, secret = new_token()
        assert read_token(token_text(id, secret)) == (id, secret)
    text = token_text(*new_token())
    for wrong in ("", "jober_", text[:-1], f"{text}x", f" {text}", text.upper(), f"{text}\n"):
        assert read_token(wrong) is None


def test_a_secret_has_256_bits_and_its_hash_does_not_tell_it() -> None:
    secret = new_secret()
    assert len(secret) == 43
    assert secret != new_secret()
    assert secret not in hashed(secret)
    assert len(hashed(secret)) == 64


def test_what_is_derived_of_a_secret_differs_by_its_purpose() -> None:
    assert derived("secret", "csrf") == derived("secret", "csrf")
    assert derived("secret", "csrf") != derived("secret", "other")
    assert derived("other", "csrf") != derived("secret", "csrf")


def test_texts_are_compared_as_texts_whatever_letters_they_have() -> None:
    assert is_same("é", "é")
    assert not is_same("é", "e")
    assert not is_same("\ud800", "")


def test_an_id_is_taken_as_lists_show_it_and_a_whole_token_is_not_repeated() -> None:
    id, secret = new_token()
    assert check_token_id(id) == check_token_id(f"jober_{id}_") == id
    with pytest.raises(DefinitionError) as refused:
        check_token_id(token_text(id, secret))
    assert secret not in str(refused.value)


def test_names_and_lives_of_tokens_have_bounds() -> None:
    assert check_token_name(" ci ") == "ci"
    for wrong in ("", "  ", "a\nb", "x" * 101):
        with pytest.raises(DefinitionError, match="no name for a token"):
            check_token_name(wrong)
    assert check_life_s(60.5) == 60
    for wrong_s in (0, -1, 1e11, float("nan")):
        with pytest.raises(DefinitionError, match="ten years at the most"):
            check_life_s(wrong_s)
