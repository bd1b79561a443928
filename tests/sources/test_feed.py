"""Feeds as documents: formats, encodings, dates, ids, links, and what a hostile feed may not do."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from datetime import UTC, datetime

import pytest
from benchmarks.feed_fuzz import SMALL, mutations
from hypothesis import given, settings
from hypothesis import strategies as st

from primeta.sources.apart import Apart
from primeta.sources.feed import FeedRead, read_feed, read_here
from primeta.sources.feed_bytes import LARGEST, encoding_of, unscrambled
from primeta.sources.feed_dates import time_of
from primeta.sources.reading_words import WORDS, explain_reading
from primeta.sources.records import Document, Source, Trouble

SOURCE = Source(
    name="trade",
    reader="feed",
    kind="industry_report",
    at="https://trade.example/feed",
    owner="trade.example",
)
SEEN = datetime(2026, 3, 10, tzinfo=UTC)


def read(feed: str | bytes, *, encoding: str = "", url: str = "https://trade.example/feed") -> FeedRead:
    raw = feed.encode() if isinstance(feed, str) else feed
    return read_here(raw, source=SOURCE, encoding=encoding, url=url, seen_at=SEEN)


def rss(items: str, head: str = "") -> str:
    return f'{head}<rss version="2.0"><channel><title>Trade</title>{items}</channel></rss>'


def one(feed: str | bytes, **options: str) -> Document:
    (document,) = read(feed, **options).documents
    return document


def codes(feed: FeedRead) -> list[str]:
    return [trouble.code for trouble in feed.troubles]


RSS = rss(
    """<link>/news/</link><item><guid isPermaLink="false">n-1</guid><title>Discounts &amp;amp; habits</title>
    <link>/n/1?utm_source=rss&amp;id=7</link><author>ann@trade.example (Ann)</author>
    <category>retail</category><category>discounts</category><pubDate>Tue, 03 Mar 2026 10:00:00 +0300</pubDate>
    <description><![CDATA[<p>One <a href="https://Other.example/report?utm_medium=x">report</a>.</p><script>1</script><p>Two.</p>]]>
    </description></item>"""
)


def test_an_rss_entry_is_a_document() -> None:
    feed = read(RSS)
    assert (feed.title, feed.site, feed.format, feed.encoding) == (
        "Trade",
        "https://trade.example/news/",
        "rss20",
        "utf-8",
    )
    (document,) = feed.documents
    assert document.title == "Discounts & habits"
    assert document.text == "One report.\nTwo."
    assert document.url == "https://trade.example/n/1?id=7"
    assert document.links == ("https://other.example/report",)
    assert document.author == "Ann"
    assert document.attributes == {"categories": "retail, discounts"}
    assert document.published_at == datetime(2026, 3, 3, 7, tzinfo=UTC)
    assert (document.source, document.owner, document.kind) == ("trade", "trade.example", "industry_report")

    assert document.id == "d-" + hashlib.sha256(b"trade\0n-1").hexdigest()[:16]
    assert len(document.raw) == 64
    assert not feed.troubles


def test_an_atom_entry_tells_when_it_was_changed_and_from_whom_it_was_taken() -> None:
    document = one(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ru"><title>Лента</title><entry><id>urn:1</id>
        <title type="html">&lt;b&gt;Скидки&lt;/b&gt;</title><link rel="alternate" href="/1"/>
        <link rel="via" href="https://first.example/x"/><published>2026-03-01T10:00:00Z</published>
        <updated>2026-03-02T10:00:00+03:00</updated><author><name>Анна</name></author>
        <source><title>Первый</title><link href="https://www.first.example/"/></source>
        <summary>Коротко</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Длинный текст</p></div>
        </content></entry></feed>"""
    )
    assert (document.title, document.text, document.language) == ("Скидки", "Длинный текст", "ru")
    assert document.published_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert document.attributes["updated_at"] == "2026-03-02T07:00:00Z"
    assert document.forwarded_from == "first.example"
    assert document.links == ("https://first.example/x",)


def test_only_updated_counts_as_published() -> None:
    document = one(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title><updated>2026-03-02</updated></entry></feed>'
    )
    assert document.published_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert "updated_at" not in document.attributes


def test_a_json_feed_is_read_in_both_versions() -> None:
    item = {"id": 5, "url": "/a", "external_url": "https://o.example/", "title": "T", "content_html": "<p>a<p>b",
            "date_published": "2026-03-01T00:00:00Z", "tags": ["x", 3]}  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [item, 7], "language": "en",
            "authors": [{"name": "Ann"}], "next_url": "/2"}  # fmt: skip
    got = read(json.dumps(feed))
    (document,) = got.documents
    assert (got.format, got.links) == ("json11", {"next": "https://trade.example/2"})
    assert (document.text, document.author, document.language) == ("a\nb", "Ann", "en")
    assert document.links == ("https://o.example/",)
    old = {**feed, "version": "https://jsonfeed.org/version/1", "author": {"name": "Bob"}, "authors": None}
    assert read(json.dumps(old)).documents[0].author == "Bob"
    assert codes(read('{"items": [1, 2]}')) == ["not-a-feed"]
    assert codes(read('{"items": ')) == ["not-a-feed"]
    assert codes(read('{"a":' * 100_000)) == ["not-a-feed"]


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("Tue, 03 Mar 2026 10:00:00 +0300", "2026-03-03T07:00:00"),
        ("Tue, 3 Mar 26 10:00 EST", "2026-03-03T15:00:00"),
        ("3 Mar 2026 10:00:00 GMT+3", "2026-03-03T07:00:00"),
        ("03 Mar 2026 10:00:00 МСК", "2026-03-03T07:00:00"),
        ("03 Mar 2026 10:00:00 XYZT", "2026-03-03T10:00:00"),
        ("2026-03-03T10:00:00.123456Z", "2026-03-03T10:00:00"),
        ("2026-03-03 10:00:00+0530", "2026-03-03T04:30:00"),
        ("2026-03-03T10:00", "2026-03-03T10:00:00"),
        ("2026-03", "2026-03-01T00:00:00"),
        ("20260303T100000Z", "2026-03-03T10:00:00"),
        ("3 марта 2026 г. в 10:00", "2026-03-03T10:00:00"),
        ("Вт, 03 мар. 2026 10:00:00 +0300", "2026-03-03T07:00:00"),
        ("31 декабря 2025, 23:59 МСК", "2025-12-31T20:59:00"),
        ("03.03.2026 10:00", "2026-03-03T10:00:00"),
        ("March 3, 2026 10:00 pm PST", "2026-03-04T06:00:00"),
        ("Seg, 02 Mar 2026 19:42:40 -0300", "2026-03-02T22:42:40"),
        ("2026-03-03T24:00:00Z", "2026-03-04T00:00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
    ],
)
def test_dates_as_people_write_them(said: str, when: str) -> None:
    assert time_of(said) == datetime.fromisoformat(when).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "said", ["", "yesterday", "0000-00-00", "1970-01-01", "32 Mar 2026", "2026-13-01", "2026-02-30", "2013-xx-27", "1" * 50, "x" * 5_000]
)  # fmt: skip
def test_what_is_no_date_is_none(said: str) -> None:
    assert time_of(said) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_an_aware_date_or_none(said: str) -> None:
    got = time_of(said)
    assert got is None or got.tzinfo is UTC


def test_without_a_date_or_with_one_to_come_there_is_none_and_it_is_said() -> None:
    items = "<item><title>a</title></item><item><title>b</title><pubDate>Tue, 01 Dec 2026 10:00:00 GMT</pubDate></item>"
    feed = read(rss(items))
    assert [document.published_at for document in feed.documents] == [None, None]
    assert codes(feed) == ["future-date", "no-date"]


RUSSIAN = "Скидки вредят лояльности, считают маркетологи"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "windows-1251", "koi8-r", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"]
)
def test_an_encoding_that_is_declared_is_read(encoding: str) -> None:
    feed = rss(
        f"<item><title>{RUSSIAN}</title></item>",
        f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>',
    )
    assert one(feed.encode(encoding)).title == RUSSIAN


@pytest.mark.parametrize(
    ("real", "declared"),
    [
        (real, declared)
        for real in ("utf-8", "windows-1251", "koi8-r", "cp866")
        for declared in ("utf-8", "iso-8859-1", "us-ascii", "x-unknown", "utf-16", "hex", "")
        # Every byte is a letter of iso-8859-1: what was declared stands, unless the bytes are UTF-8.
        if declared != "iso-8859-1" or real == "utf-8"
    ],
)
def test_an_encoding_that_is_declared_wrongly_is_found_out(real: str, declared: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    feed = rss(f"<item><title>{RUSSIAN}</title><description>{RUSSIAN}</description></item>", head)
    assert one(feed.encode(real)).title == RUSSIAN


def test_the_server_is_believed_before_the_file_but_not_against_utf8() -> None:
    feed = rss(f"<item><title>{RUSSIAN}</title></item>", '<?xml version="1.0" encoding="koi8-r"?>')
    assert one(feed.encode("cp1251"), encoding="windows-1251").title == RUSSIAN
    got = read(feed.encode(), encoding="windows-1251")
    assert got.documents[0].title == RUSSIAN
    assert codes(got) == ["encoding", "no-date"]


def test_letters_that_were_read_wrongly_before_are_put_right() -> None:
    scrambled = RUSSIAN.encode().decode("cp1251")
    assert one(rss(f"<item><title>{scrambled}</title></item>")).title == RUSSIAN
    assert unscrambled(RUSSIAN) == RUSSIAN
    assert unscrambled("naïve café déjà-vu") == "naïve café déjà-vu"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_some_text(raw: bytes) -> None:
    text, encoding = encoding_of(raw)
    assert isinstance(text, str)
    assert encoding


def test_the_same_entry_is_the_same_document_and_repeats_are_one() -> None:
    item = "<item><guid>1</guid><title>{}</title><pubDate>Tue, 0{} Mar 2026 10:00:00 GMT</pubDate></item>"
    feed = read(rss(item.format("old", 1) + item.format("new", 3) + item.format("older", 2)))
    assert [document.title for document in feed.documents] == ["new"]
    assert codes(feed) == ["repeated"]
    assert feed.documents[0].id == one(rss(item.format("other words", 9))).id


def test_without_id_the_link_is_it_and_without_link_the_words() -> None:
    assert one(rss("<item><title>a</title><link>http://e.org/1?utm_source=x</link></item>")).id == (
        one(rss("<item><title>b</title><link>http://e.org/1</link></item>")).id
    )
    assert one(rss("<item><title>a</title></item>")).id != one(rss("<item><title>b</title></item>")).id


def test_an_id_that_all_entries_share_is_none() -> None:
    item = '<item><guid isPermaLink="false">0</guid><title>{0}</title><link>http://e.org/{0}</link></item>'
    assert len(read(rss(item.format(1) + item.format(2))).documents) == 2


def test_a_page_is_no_feed_and_names_its_feeds() -> None:
    page = '<!DOCTYPE html><html><head><title>x</title><link rel="alternate" type="application/rss+xml" href="/rss"></head>'
    (trouble,) = read(page).troubles
    assert (trouble.code, trouble.permanent) == ("not-a-feed", True)
    assert trouble.values == {"page": True, "feeds": ["https://trade.example/rss"]}
    assert codes(read(b"")) == ["not-a-feed"]


LAUGHS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12))


@pytest.mark.parametrize("before", ["", "<!-- <x -->", "<?x <y ?>", "\n" * 1_000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_multiply_nothing_and_fetch_nothing(before: str, encoding: str) -> None:
    item = "<item><title>a&e11;b&file;c&own;</title></item>"
    head = f'{before}<!DOCTYPE r [{LAUGHS}<!ENTITY file SYSTEM "file:///etc/hostname"><!ENTITY own "firm">]>'
    title = one(rss(item, head).encode(encoding)).title
    assert (
        title.replace("&e11;", "").replace("&file;", "").replace("&e11", "").replace("&file", "") == "abcfirm"
    )


def test_one_long_entity_often_is_a_bomb() -> None:
    feed = rss(
        "<item><title>" + "&a;" * 50_000 + "</title></item>", f'<!DOCTYPE r [<!ENTITY a "{"x" * 1_000}">]>'
    )
    assert codes(read(feed)) == ["bomb"]


@pytest.mark.parametrize(
    "inside", ["<b>" * 300, "<a:b>" * 300 + "</a:b>" * 300, "<b " + "x='1' " * 2_000 + "/>"]
)
def test_what_nests_without_end_is_a_bomb(inside: str) -> None:
    assert codes(read(rss(f"<item><description>{inside}</description></item>"))) == ["bomb"]


def test_tags_that_are_left_open_in_each_entry_are_no_bomb() -> None:
    items = "<item><title>{}</title><description><b><i><br><br>x</description></item>"
    assert len(read(rss("".join(items.format(n) for n in range(300)))).documents) == 300


def test_too_large_and_too_many_are_said() -> None:
    (trouble,) = read_feed(b" " * (LARGEST + 1), source=SOURCE, seen_at=SEEN).troubles
    assert (trouble.code, trouble.permanent) == ("too-large", True)
    many = read(rss("".join(f"<item><title>{n}</title></item>" for n in range(5_100))))
    assert len(many.documents) == 5_000
    assert codes(many)[0] == "too-many"


def sleep_for(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


def fill(megabytes: int) -> int:
    return len(b"x" * (megabytes * 2**20))


def fall_over() -> None:
    os.abort()


def sees(name: str) -> str | None:
    return os.environ.get(name)


@pytest.fixture(scope="module")
def reader() -> Apart:
    return Apart(memory_bytes=600 * 2**20)


def test_a_reader_apart_answers_is_stopped_and_starts_again(reader: Apart) -> None:
    assert reader.call(sleep_for, 0.0) == "done"
    started = time.monotonic()
    slow = reader.call(sleep_for, 60.0, seconds=0.3)
    assert isinstance(slow, Trouble)
    assert (slow.code, slow.permanent) == ("too-slow", False)
    assert time.monotonic() - started < 5
    full = reader.call(fill, 2_000)
    assert isinstance(full, Trouble)
    assert full.code == "bomb"
    fallen = reader.call(fall_over)
    assert isinstance(fallen, Trouble)
    assert (fallen.code, fallen.permanent) == ("unreadable", True)
    wrong = reader.call(fill, "x")  # type: ignore[arg-type]
    assert isinstance(wrong, Trouble)
    assert "TypeError" in str(wrong.values["why"])
    assert reader.call(fill, 1) == 2**20
    reader.close()


def test_a_reader_apart_sees_no_passwords_of_the_environment(
    reader: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIMETA_SMTP_PASSWORD", "secret")
    reader.close()
    assert reader.call(sees, "PRIMETA_SMTP_PASSWORD") is None
    assert reader.call(sees, "PATH")
    reader.close()


def test_apart_reads_the_same_as_here_and_is_stopped_when_it_takes_too_long() -> None:
    assert read_feed(RSS.encode(), source=SOURCE, url="https://trade.example/feed", seen_at=SEEN) == read(RSS)
    # feedparser looks for an address in the author by an expression that goes back: 100,000 letters take half a minute.
    slow = rss(f"<item><title>a</title><author>{'a' * 200_000}</author></item>").encode()
    assert codes(read_feed(slow, source=SOURCE, seen_at=SEEN, seconds=0.5)) == ["too-slow"]


def test_four_hundred_broken_feeds_are_read_or_refused() -> None:
    """All ten thousand: `python -m benchmarks feed_fuzz`."""
    longest = 0.0
    for feed in mutations(400, seed=1, feeds=SMALL):
        started = time.process_time()
        got = read(feed)
        longest = max(longest, time.process_time() - started)
        assert all(
            document.id and document.title + document.text + document.url for document in got.documents
        )
        json.dumps([document.title + document.text for document in got.documents]).encode()
    assert longest < 2.0


def test_every_trouble_is_told_in_plain_words_in_both_languages() -> None:
    troubles = [
        *read("<html><p>x</p></html>").troubles,
        *read('<html><link rel=alternate type="application/rss+xml" href="/rss"></html>').troubles,
        *read("x").troubles,
        *read(rss("<item><guid>1</guid><title>a</title></item>" * 2 + "<item/>")).troubles,
        *read_feed(b" " * (LARGEST + 1), source=SOURCE, seen_at=SEEN).troubles,
        Trouble(code="too-slow", values={"reason": "reading", "seconds": 20.0}),
        Trouble(code="too-many", values={"entries": 5_100, "read": 5_000}),
        *[Trouble(code=code, values={"entries": 2, "read_as": "utf-8"}) for code in WORDS],
    ]
    for trouble in troubles:
        english, russian = explain_reading(trouble, "en"), explain_reading(trouble, "ru")
        assert english
        assert russian
        assert not re.search(r"[А-я]", english)
        assert re.search(r"[А-я]", russian)
    assert explain_reading(Trouble(code="robots"), "en") == ""
    assert "https://trade.example/rss" in explain_reading(troubles[1], "ru")


def test_entries_beyond_the_most_are_not_even_parsed(monkeypatch) -> None:
    from primeta.sources import feed_xml

    monkeypatch.setattr(feed_xml, "MOST_ENTRIES", 3)
    items = "".join(f"<item><guid>{i}</guid><title>News {i}</title></item>" for i in range(50))
    parsed: list[str] = []
    real = feed_xml._parsed
    monkeypatch.setattr(feed_xml, "_parsed", lambda text, heads: parsed.append(text) or real(text, heads))
    found = feed_xml.xml_feed(rss(items), url="https://trade.example/feed")
    assert ([entry.title for entry in found.entries], found.found) == (["News 0", "News 1", "News 2"], 50)
    assert found.ill_formed == ""
    assert "News 3" not in parsed[0]
