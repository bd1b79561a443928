"""A page told in a messenger: only known tags, whole tags, pieces that fit."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.delivery.markup import TAG, length, messenger_html, messenger_text, pieces

PAGE = (
    "<!doctype html><html><head><title>t</title><style>p{}</style></head><body><p class='note'>Kalina, week 46</p>"
    "<h1>Two & three</h1><table class='t'><thead><tr><th>metric</th><th>is</th></tr></thead>"
    "<tbody><tr><td>AOV &lt;new&gt;</td><td>₽1.2k</td></tr><tr><td>CTR</td><td></td></tr></tbody></table>"
    "<script>alert(1)</script><p>See <a href='https://a.example/?x=1&amp;y=2'>this</a>, "
    "<a href='javascript:x'>not that</a></p><ul><li>one</li><li><strong>two</strong></li></ul></body></html>"
)
# Tags of Telegram's HTML mode: core.telegram.org/bots/api#html-style
KNOWN = {"b", "i", "u", "s", "a", "code", "pre", "blockquote"}


def is_balanced(text: str) -> bool:
    open_tags: list[str] = []
    for end, name, _ in TAG.findall(text):
        if not end:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            return False
    return not open_tags


def test_a_page_becomes_paragraphs_with_the_tags_that_telegram_knows():
    assert messenger_html(PAGE) == (
        "Kalina, week 46\n\n<b>Two &amp; three</b>\n\n• AOV &lt;new&gt; – is: ₽1.2k\n• CTR\n\n"
        'See <a href="https://a.example/?x=1&amp;y=2">this</a>, not that\n\n• one\n\n• <b>two</b>'
    )


def test_the_plain_text_keeps_the_address_of_a_link_and_the_signs_as_they_are():
    text = messenger_text(PAGE)
    assert "See this (https://a.example/?x=1&y=2), not that" in text
    assert "• AOV <new> – is: ₽1.2k" in text


def test_a_text_is_cut_at_paragraphs_before_lines_and_words():
    found = pieces("\n\n".join(["a" * 40, "b" * 40, "c" * 40]), 90)
    assert found == ("a" * 40 + "\n\n" + "b" * 40, "c" * 40)
    found = pieces("One sentence here. Another one there. " * 10, 100)
    assert all(length(piece) <= 100 and piece.endswith(".") for piece in found)


def test_a_tag_open_at_a_cut_is_closed_and_opened_again():
    found = pieces("<b>" + "word " * 300 + "</b>", 400, tags=True)
    assert len(found) > 3
    assert all(piece.startswith("<b>") and piece.endswith("</b>") for piece in found)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<a href='https://x.example'>", "</a>", "<td>", "<tr>",
             "</table>", "<table>", "<h2>", "</h2>", "&amp;", "&lt;b&gt;", "<style>", "</style>", "слово ", "😀" * 30, "x" * 90,
             "\n", "<!--", "<li>"]
        ),
        max_size=60,
    ),
    st.integers(260, 500),
)  # fmt: skip
def test_whatever_the_page_every_piece_fits_and_is_whole(parts: list[str], limit: int):
    for piece in pieces(messenger_html("".join(parts)), limit, tags=True):
        assert length(piece) <= limit
        assert is_balanced(piece)
        assert {name for _, name, _ in TAG.findall(piece)} <= KNOWN
        assert not re.search(r"&(?!amp;|lt;|gt;|quot;|#)", piece)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text(alphabet="ab .\n😀", max_size=600), st.integers(20, 90))
def test_cutting_loses_no_letter(text: str, limit: int):
    found = pieces(text, limit)
    assert all(length(piece) <= limit for piece in found)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
