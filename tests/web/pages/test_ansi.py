"""What programs write for terminals, as it is shown on a page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober_web.pages.ansi import PLAIN, coloured, plain


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("\x1b[31mred\x1b[0m", '<span class="f1">red</span>'),
        ("\x1b[1;32mok\x1b[22m!", '<span class="f2 bold">ok</span><span class="f2">!</span>'),
        ("\x1b[91;44mx\x1b[39;49my", '<span class="f9 k4">x</span>y'),
        ("\x1b[38;5;196mx\x1b[m", '<span class="f9">x</span>'),
        ("\x1b[38;2;10;10;10mx\x1b[m", '<span class="f0">x</span>'),
        ("\x1b[48:5:2mx\x1b[m", '<span class="k2">x</span>'),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07text\x1b]8;;http://evil\x1b\\link", "textlink"),
        ("10%\r50%\r100%\r", "100%"),
        ("a\x08b\x00c\u202ed", "abcd"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_colours_are_read_and_all_else_that_a_terminal_obeys_is_left_out(
    text: str, html: str
) -> None:
    assert str(coloured(text)[0]) == html


def test_a_line_begins_as_the_last_one_ended() -> None:
    first, style = coloured("\x1b[33;1myellow")
    assert str(first) == '<span class="f3 bold">yellow</span>'
    again, style = coloured("still\x1b[0m not", style)
    assert str(again) == '<span class="f3 bold">still</span> not'
    assert style == PLAIN


@given(st.text(alphabet=st.sampled_from("\x1b[]0123;mKHJ<>&\"'\x07\\ab\r\t"), max_size=200))
def test_whatever_comes_no_markup_but_our_own_reaches_the_page(text: str) -> None:
    html = str(coloured(text)[0])
    rest = html.replace("</span>", "")
    while (at := rest.find('<span class="')) >= 0:
        end = rest.index('">', at)
        classes = rest[at + len('<span class="') : end]
        assert all(word.isalnum() for word in classes.split())
        rest = rest[:at] + rest[end + 2 :]
    assert "<" not in rest and ">" not in rest and "\x1b" not in rest
    assert "\x1b" not in plain(text)
