"""HTML as text, links in one spelling, and HTML that may be shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.sources.html_text import Plain, plain_of, safe_html, tidy
from primeta.sources.links import canonical_link, site_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two</p>", "One\ntwo"),
        ("<p>One<p>two<br>three", "One\ntwo\nthree"),
        ("<ul><li>a<li>b</ul>c", "a\nb\nc"),
        ("a  \n b&nbsp;c&mdash;d &lt;e&gt; &#1071;", "a b c—d <e> Я"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "1 2\n3"),
        ("<pre>x = 1\ny = 2</pre>", "x = 1\ny = 2"),
        ("<b>bo</b>ld", "bold"),
        ("<style>p{}</style>a<script>if (1 < 2) '</p>'</script>b<!-- c > d -->e", "abe"),
        ("<script>never closed <p>x", ""),
        ("<iframe src=x>a", "a"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("it's <a title=\"a > b\" href='/x'>here</a>", "it's here"),
        ("<a title='never closed>here</a> and on", "here and on"),
        ("<![CDATA[<p>twice</p><p>wrapped</p>]]>", "twice\nwrapped"),
        ("ski\u00adp\u200bped \u202eoverride\u202c \ufeff", "skipped override"),
        ("", ""),
    ],
)
def test_what_a_person_reads(markup: str, text: str) -> None:
    assert plain_of(markup).text == text


def test_links_are_resolved_and_told_once() -> None:
    markup = (
        '<a href="/a?utm_source=x&amp;id=1">1</a><a href="a?id=1">2</a><a href="mailto:x@y">3</a><a>4</a>'
    )
    assert plain_of(markup, base="https://e.org/b") == Plain("1234", ("https://e.org/a?id=1",))
    assert plain_of('<base href="https://o.org/d/"><a href=x>1</a>').links == ("https://o.org/d/x",)


@pytest.mark.parametrize(
    ("link", "base", "canonical"),
    [
        ("HTTP://Example.COM:80", "", "http://example.com/"),
        (
            "https://example.com:443/a/?utm_medium=e&b=2&fbclid=1&yclid=3#top",
            "",
            "https://example.com/a/?b=2",
        ),
        ("https://example.com/?erid=LjN8K", "", "https://example.com/"),
        ("https://t.me/s/one?before=5", "", "https://t.me/s/one?before=5"),
        ("https://example.com/#!/page", "", "https://example.com/#!/page"),
        ("//example.com/a b", "https://e.org/", "https://example.com/a%20b"),
        ("../c", "https://e.org/a/b/", "https://e.org/a/c"),
        ("https://user:secret@example.com/", "", "https://example.com/"),
        (
            "https://пример.рф/путь?q=да",
            "",
            "https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C?q=%D0%B4%D0%B0",
        ),
        ("http://[2001:DB8::1]:8080/", "", "http://[2001:db8::1]:8080/"),
        ("javascript:alert(1)", "https://e.org/", ""),
        ("java\nscript:alert(1)", "https://e.org/", ""),
        ("data:text/html,x", "", ""),
        ("/relative", "", ""),
        ("http://[::1", "", ""),
        ("http://exa<mple.com/", "", ""),
        ("http://example.com:99999/", "", ""),
        ("http://a.b/\ud800", "", ""),
        ("http://" + "a" * 5_000, "", ""),
    ],
)
def test_a_link_has_one_spelling(link: str, base: str, canonical: str) -> None:
    assert canonical_link(link, base=base) == canonical


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=40).map("http://e.org/".__add__)
    | st.text(max_size=60).map("https://".__add__)
    | st.text()
)
def test_a_canonical_link_is_its_own_canonical_link(link: str) -> None:
    once = canonical_link(link)
    assert canonical_link(once) == once
    assert site_of(once) == site_of(link)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(list("<>/!-'\"= abpя&;[]") + ["<!--", "script", "<p>", "</", "style"])).map(
        "".join
    )
)
def test_any_string_is_read_and_what_is_shown_holds_no_script(markup: str) -> None:
    plain = plain_of(markup)
    assert tidy(plain.text) == plain.text
    assert "<script" not in safe_html(markup)


def test_text_goes_through_html_and_back() -> None:
    text = "5 < 6 & «да» — it's\nsecond line"
    markup = "".join(f"<p>{line.replace('&', '&amp;').replace('<', '&lt;')}</p>" for line in text.split("\n"))
    assert plain_of(safe_html(markup)).text == text


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' &#1;javascript:alert(1)'>x</a>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe src='https://e.org'></iframe><object data=x></object><embed src=x>",
        "<form action='https://e.org'><input name=p></form>",
        "<p style='background:url(https://e.org/t)' onclick=alert(1)>x</p>",
        "<base href='https://e.org/'><link rel=stylesheet href=x><meta http-equiv=refresh content='0;url=x'>",
    ],
)
def test_what_is_shown_runs_nothing_and_fetches_nothing(evil: str) -> None:
    shown = safe_html(f"<p>before</p>{evil}").lower()
    assert "before" in shown
    for bad in (
        "alert(1)'",
        "onerror",
        "onclick",
        "javascript:",
        "<iframe",
        "<img",
        "<form",
        "style",
        "<base",
        "src=",
    ):
        assert bad not in shown


def test_links_that_are_shown_are_absolute_and_do_not_tell_where_they_come_from() -> None:
    assert safe_html('<a href="/x">y</a>', base="https://e.org/a/") == (
        '<a href="https://e.org/x" rel="nofollow noopener noreferrer">y</a>'
    )
    assert "href" not in safe_html('<a href="/x">y</a>')


@pytest.mark.parametrize(
    "piece",
    [
        "<", "<a ", '<a "', "<a href='", "<!--", "<![CDATA[", "<!", "<script>", "<style", "<iframe>", "<b>", "</p>",
        "<div>", "&", "&#", "<b id=1><p>", "<table>", "</x><b>", '<a b="', "<svg><p>", "<i></b>", "]]>", " ",
    ],
)  # fmt: skip
def test_the_cost_is_linear_in_the_length(piece: str) -> None:
    """100,000 characters each: a tree or a regular expression that goes back would need minutes."""
    markup = piece * (100_000 // len(piece))
    started = time.process_time()
    plain_of(markup)
    safe_html(markup)
    assert time.process_time() - started < 1.5


def test_what_leaves_a_heap_of_tags_open_is_shown_as_text() -> None:
    assert safe_html("<b>" * 300 + "a &amp; b <p>c") == "<p>a &amp; b</p><p>c</p>"
