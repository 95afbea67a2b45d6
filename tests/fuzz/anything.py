"""What may come in place of what is meant: values of any kind, and texts that are all but right."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.test_backup_anything import ANYTHING
from tests.test_job_anything import VALUES

# What a Python caller may give, what a JSON file may hold, and what is worse than either.
VALUE: st.SearchStrategy[Any] = (
    VALUES
    | ANYTHING
    | st.sampled_from(
        [10**400, -(2**63), 2**64, float("inf"), float("nan"), "\0", "\ud800", "a" * 100_000,
         b"\xff", {}, [], (), [[[[]]]], {"": {}}, object, ..., "\u202e", "*" * 300, "1e999"]
    )
)  # fmt: skip


@st.composite
def mangled(draw: st.DrawFn, texts: Sequence[str]) -> str:
    """One of the texts, with some pieces cut out, doubled, taken from another, or made up."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(texts))
        begin = draw(st.integers(0, len(other)))
        new = draw(
            st.sampled_from(["", text[at:end] * 2, other[begin : begin + 30], "\n", "\0", "é"])
            | st.text(max_size=4)
            | st.text("0123456789-+.:/*,=[]{}'\"#% \t\\", max_size=4)
        )
        text = text[:at] + new + text[end:]
    return text


def anything_near(texts: Sequence[str]) -> st.SearchStrategy[str]:
    """Mostly such a text; any text at all, too."""
    return mangled(texts) | mangled(texts) | st.text(max_size=60)


def as_bytes(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """The texts as bytes, and bytes that are no text."""
    return texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=200)
