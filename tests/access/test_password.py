"""What is kept of a password."""

import base64
import hashlib

import pytest

from jober.access.password import COST, NOBODY, Cost, PasswordHash, check_password
from jober.errors import DefinitionError

CHEAP = Cost(log2_n=4, r=8, p=1)


def test_a_hash_is_read_as_it_was_written_and_knows_its_password() -> None:
    made = PasswordHash.of("correct horse", CHEAP)
    read = PasswordHash.read(str(made))
    assert read == made
    assert read.is_of("correct horse")
    assert not read.is_of("correct horsf")
    assert not read.is_of("")


def test_a_hash_is_that_of_scrypt_with_the_parameters_that_stand_in_it() -> None:
    kind, log2_n, r, p, salt, hash = str(PasswordHash.of("correct horse", CHEAP)).split("$")
    assert (kind, log2_n, r, p) == ("scrypt", "4", "8", "1")
    expected = hashlib.scrypt(
        b"correct horse", salt=base64.b64decode(salt), n=16, r=8, p=1, dklen=32
    )
    assert base64.b64decode(hash) == expected


def test_the_same_password_has_another_hash_each_time() -> None:
    assert PasswordHash.of("correct horse", CHEAP) != PasswordHash.of("correct horse", CHEAP)


def test_the_same_letters_typed_in_two_ways_are_one_password() -> None:
    assert PasswordHash.of("caf\u00e9 au lait", CHEAP).is_of("cafe\u0301 au lait")


def test_a_hash_that_cost_less_than_new_ones_do_is_outdated() -> None:
    def hash(cost: Cost) -> PasswordHash:
        return PasswordHash(cost=cost, salt=b"", hash=bytes(32))

    assert hash(CHEAP).is_outdated
    assert hash(Cost(log2_n=COST.log2_n, r=COST.r, p=COST.p - 1)).is_outdated
    assert hash(Cost(log2_n=COST.log2_n - 1, r=COST.r, p=COST.p * 4)).is_outdated
    assert not hash(COST).is_outdated
    assert not hash(Cost(log2_n=COST.log2_n + 1, r=COST.r, p=COST.p)).is_outdated


def test_who_is_nobody_costs_as_much_as_somebody_and_has_no_password() -> None:
    assert NOBODY.cost == COST
    assert not NOBODY.is_of("")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "scrypt$4$8$1$AAAA",
        "bcrypt$4$8$1$AAAA$" + "A" * 43 + "=",
        "scrypt$4$8$1$AAAA$AAAA",
        "scrypt$x$8$1$AAAA$" + "A" * 43 + "=",
        "scrypt$40$8$1$AAAA$" + "A" * 43 + "=",  # a terabyte
        "scrypt$4$8$1$!!$" + "A" * 43 + "=",
    ],
)
def test_what_is_no_hash_or_costs_more_than_anybody_pays_is_none(text: str) -> None:
    assert PasswordHash.read(text) is None


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("", "has 0 characters"),
        ("ninechars", "has 9 characters"),
        ("ababababababab", "over and over"),
        ("Ann.Smith@work", "is the name of the user"),
        ("x" * 1001, "more than 1000"),
    ],
)
def test_a_poor_password_is_refused_and_not_repeated(password: str, told: str) -> None:
    with pytest.raises(DefinitionError, match=told) as refused:
        check_password(password, "ann.smith@work")
    assert not password or password not in str(refused.value)


def test_words_are_a_good_password_without_digits_or_signs() -> None:
    assert check_password("correct horse battery staple", "ann")
