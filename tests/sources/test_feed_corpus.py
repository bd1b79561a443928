"""feedparser's own corpus: what each file expects holds of feedparser, and our reader tells the same.

The expectation of a file is evaluated against feedparser's own result. Then title, link, id, dates, author and text of
every entry, and title and link of the feed, are compared: feedparser's HTML (resolved and sanitised by it) is made text
by another library's tree (lexbor), ours comes from `html_text`. A file whose reading differs stands in a list below,
with the reason.
"""

from __future__ import annotations

import ast
import datetime
import io
import re
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from primeta.sources.feed import read_here
from primeta.sources.feed_dates import time_of
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.records import Source

SOURCE = Source(name="corpus", reader="feed", kind="agency", at="", owner="corpus")
SEEN = datetime.datetime(2026, 11, 26, tzinfo=datetime.UTC)
OURS = re.compile(
    r"\b(title|link|links|id|guid|guidislink|published|updated|created|date|modified|issued|author|authors|summary"
    r"|description|content|subtitle|tagline|info|base)\w*"
)
EXPECTS = re.compile(r"Description:\s*(.*?)\s*Expect:\s*(.*)\s*-->")
HEADERS = re.compile(r"^Header:\s+([^:]+):(.*)$", re.MULTILINE)
SKIPS = re.compile(r"SkipUnless:\s*(.*?)\n")

NEWER = "the corpus is newer than feedparser 6.0.14, which takes the link without an address"
FETCHED = "is about feedparser's own fetching; here bytes and headers are handed in"
NOT_EXPECTED_HERE = {
    "wellformed/atom/entry_link_no_href_link_priority.xml": NEWER,
    "wellformed/atom/entry_link_rel_enclosure_no_href.xml": NEWER,
    "wellformed/atom10/entry_link_no_href_link_priority.xml": NEWER,
    "wellformed/atom10/entry_link_rel_enclosure_no_href.xml": NEWER,
    "wellformed/http/headers_content_location-relative.xml": FETCHED,
    "wellformed/http/headers_content_location-unsafe.xml": FETCHED,
    "wellformed/http/headers_last_modified-modified.xml": FETCHED,
    "wellformed/http/headers_last_modified-modified_parsed.xml": FETCHED,
}
"""Expectations that do not hold of feedparser's own result here, and why."""

SCRIPT = "a browser shows none of the script that feedparser's expectation lets through as text, nor the page's title"
FRAME = "a browser shows nothing of what stands inside an iframe"
ONE = "two entries without id and link and with the same words are one document"
DIFFERENT = {
    "encoding/bozo_linenoise.xml": "one broken byte in UTF-8 costs that byte; feedparser reads all as windows-1252",
    "wellformed/lang/entry_content_xml_lang_blank_3.xml": ONE,
    "wellformed/node_precedence/atom10_title.xml": ONE,
    "wellformed/rss/item_description_not_a_doctype.xml": "`<!…>` is a comment to a browser: the entry says nothing",
    "wellformed/rss/item_description_not_a_doctype2.xml": "`<!DOCTYPE` without end is kept, as expected; lexbor drops it",
    "wellformed/sanitize/entry_content_crazy.xml": SCRIPT,
    "wellformed/sanitize/entry_summary_crazy.xml": SCRIPT,
    "wellformed/sanitize/entry_title_crazy.xml": SCRIPT,
    "wellformed/sanitize/feed_title_crazy.xml": SCRIPT,
    "wellformed/sanitize/item_content_encoded_crazy.xml": SCRIPT,
    "wellformed/sanitize/item_description_crazy.xml": SCRIPT,
    "wellformed/sanitize/item_fullitem_crazy.xml": SCRIPT,
    "wellformed/sanitize/entry_content_iframe.xml": FRAME,
    "wellformed/sanitize/entry_summary_iframe.xml": FRAME,
    "wellformed/sanitize/item_content_encoded_script_nested_cdata.xml": "CDATA wrapped twice: the wrapping is not text",
}
"""Where our reading differs from feedparser's, and why."""

DATES_DIFFERENT = {
    "-0312": "short forms of ISO 8601 are as likely a typing error or a time",
    "-03-12": "short forms",
    "03335": "short forms",
    "031231": "short forms",
    "03-12-31": "short forms: day, month and year in which order?",
    "2003-012-31T10:14:55+00:00": "three digits of a month were one program's error",
    "2004-j\u00falius-13T9:15-05:00": "Hungarian",
    "2004-05-25 \uc624\ud6c4 11:23:17": "Korean",
    "2004\ub144 05\uc6d4 28\uc77c  01:31:15": "Korean",
    "Thu, 01 Jan 0100 00:00:01 +0100": "before 1970 is an empty field",
    "2013-01-27-01": "a date with a zone, as XML Schema writes it",
}


def files(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() else None
            if content is not None and member.name.endswith(".xml"):
                yield member.name.partition("tests/")[2], content.read()


def as_text(raw: bytes) -> str:
    """As feedparser's own tests read a file."""
    for mark, encoding, skip in (
        (b"\x00\x00\xfe\xff", "utf-32be", 0), (b"\xff\xfe\x00\x00", "utf-32le", 0), (b"\x00\x00\x00<", "utf-32be", 0),
        (b"<\x00\x00\x00", "utf-32le", 0), (b"\x00<\x00?", "utf-16be", 0), (b"<\x00?\x00", "utf-16le", 0),
        (b"\xfe\xff", "utf-16be", 2), (b"\xff\xfe", "utf-16le", 2), (b"\xef\xbb\xbf", "utf-8", 3),
    ):  # fmt: skip
        if raw.startswith(mark):
            return raw[skip:].decode(encoding, "ignore")
    return raw.decode("utf-8", "ignore")


def case_of(name: str, raw: bytes) -> tuple[str, dict[str, str]] | None:
    """What a file expects, and the headers that it came with."""
    text = as_text(raw)
    found = EXPECTS.search(text)
    if found is None:
        return None
    headers = {key.strip().lower(): value.strip() for key, value in HEADERS.findall(text)}
    if "http" in name:
        headers.setdefault("content-type", "text/xml")
        headers.setdefault("content-location", f"http://127.0.0.1:8097/tests/{name}")
    return found[2].strip(), headers


def readings(name: str, raw: bytes, headers: dict[str, str]) -> tuple[Any, Any]:
    import feedparser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = feedparser.parse(io.BytesIO(raw), response_headers=headers)
    charset = re.search(r"""charset\s*=\s*["']?([\w.:-]+)""", headers.get("content-type", ""))
    ours = read_here(
        raw,
        source=SOURCE,
        encoding=charset[1] if charset else "",
        url=canonical_link(headers.get("content-location", "")),
        seen_at=SEEN,
    )
    return theirs, ours


def holds(expectation: str, theirs: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(eval(expectation, {"datetime": datetime}, theirs))  # the corpus's own tests do so
        except (NameError, KeyError, IndexError, AttributeError):
            return False


def bare(text: str) -> str:
    """Without white space and characters that nobody sees."""
    return "".join(letter for letter in text if letter.isprintable() and not letter.isspace())


def words(value: str, kind: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    if kind in ("text/html", "application/xhtml+xml"):
        tree = LexborHTMLParser(f"<body>{value}</body>")
        tree.strip_tags(["script", "style", "template", "iframe", "title", "applet"])
        return bare(tree.body.text(deep=True) if tree.body is not None else "")
    return bare(value)


def differences(theirs: Any, ours: Any) -> list[str]:
    """What our reading tells otherwise; empty where it tells the same."""
    found: list[str] = []

    def compare(what: str, mine: object, other: object) -> None:
        if mine != other:
            found.append(f"{what}: ours {mine!r}, feedparser {other!r}")

    get = dict.get
    feed = theirs["feed"]
    compare(
        "feed title",
        bare(ours.title),
        words(get(feed, "title", ""), get(feed, "title_detail", {}).get("type", "")),
    )
    compare("feed link", ours.site, canonical_link(get(feed, "link", "")))
    said = []
    for entry in theirs["entries"]:
        texts = [(get(one, "value", ""), get(one, "type", "")) for one in get(entry, "content", [])]
        texts = [one for one in texts if one[1].startswith("text/") or one[1].endswith("html+xml")]
        if "summary_detail" in entry or not texts:  # else it is a copy of the content
            texts = [*texts, (get(entry, "summary", ""), get(entry, "summary_detail", {}).get("type", ""))]
        text = max((words(*one) for one in texts), key=len)
        title = words(get(entry, "title", ""), get(entry, "title_detail", {}).get("type", ""))
        if text or title or canonical_link(get(entry, "link", "")):
            said.append((entry, title, text))
    compare("entries", len(ours.documents), len(said))
    for document, (entry, title, text) in zip(ours.documents, said, strict=False):
        compare("title", bare(document.title), title)
        compare("text", bare(document.text), text)
        compare("link", document.url, canonical_link(get(entry, "link", "")))
        if own := get(entry, "id", ""):
            compare("id", document.id, document_id("corpus", own.strip()))
        person = get(entry, "author_detail", {})
        compare("author", document.author, get(person, "name", "") or get(entry, "author", ""))
        when = None
        for name in ("published", "created", "updated"):
            if when is None and (parsed := get(entry, f"{name}_parsed")) is not None:
                when = datetime.datetime(*parsed[:6], tzinfo=datetime.UTC)
        compare("date", document.published_at, when)
    return found


def read_all(shared_data: Path, *, every: int) -> tuple[int, dict[str, str], dict[str, list[str]]]:
    """How many were read, whose expectation does not hold of feedparser, and where we differ from it."""
    untold: dict[str, str] = {}
    unlike: dict[str, list[str]] = {}
    seen = 0
    for number, (name, raw) in enumerate(files(shared_data / "feeds" / "feedparser-tests.tar.xz")):
        case = case_of(name, raw)
        if number % every or case is None or not OURS.search(case[0]):
            continue
        seen += 1
        theirs, ours = readings(name, raw, case[1])
        if not holds(case[0], theirs):
            untold[name] = case[0]
        if found := differences(theirs, ours):
            unlike[name] = found
    return seen, untold, unlike


@pytest.mark.slow
def test_every_expectation_of_feedparsers_corpus_holds_or_its_difference_is_listed(shared_data: Path) -> None:
    seen, untold, unlike = read_all(shared_data, every=1)
    assert seen == 1702  # files whose expectation concerns what we read
    assert set(untold) == set(NOT_EXPECTED_HERE)
    assert {name: told for name, told in unlike.items() if name not in DIFFERENT} == {}
    assert set(unlike) == set(DIFFERENT)


def test_a_tenth_of_feedparsers_corpus_reads_as_expected(shared_data: Path) -> None:
    seen, untold, unlike = read_all(shared_data, every=10)
    assert seen > 150
    assert set(untold) <= set(NOT_EXPECTED_HERE)
    assert {name: told for name, told in unlike.items() if name not in DIFFERENT} == {}


def test_dates_of_feedparsers_own_tests_are_read_alike(shared_data: Path) -> None:
    from feedparser.datetimes import _parse_date  # pyright: ignore[reportPrivateUsage]

    with tarfile.open(shared_data / "feeds" / "feedparser-tests.tar.xz") as packed:
        member = next(one for one in packed if one.name.endswith("test_date_parsers.py"))
        content = packed.extractfile(member)
        assert content is not None
        tree = ast.parse(content.read())
    unlike = {}
    compared = 0
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Tuple) and len(node.elts) == 3 and isinstance(node.elts[0], ast.Name)):
            continue
        said, expected = ast.literal_eval(node.elts[1]), ast.literal_eval(node.elts[2])
        when = datetime.datetime(*expected[:6], tzinfo=datetime.UTC) if expected else None
        compared += 1
        if (got := time_of(said, parsed=_parse_date(said))) != when:
            unlike[said] = (got, when)
    assert compared > 60
    assert set(unlike) == set(DATES_DIFFERENT), unlike


def test_the_feeds_of_rss_parser_are_read(shared_data: Path) -> None:
    """Real feeds: entries as its own tests count them, all with a title or a text, all dated but two files."""
    got = {}
    with tarfile.open(shared_data / "feeds" / "rss-parser-input.tar.xz") as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() and "/input/" in member.name else None
            if content is not None:
                got[Path(member.name).name] = read_here(
                    content.read(), source=SOURCE, url="https://example.com/feed", seen_at=SEEN
                )
    counts = {name: len(read.documents) for name, read in got.items()}
    # Counted in the files: `<item` or `<entry` that hold anything.
    assert counts["guardian.rss"] == 55
    assert counts["giantbomb-podcast.rss"] == 730
    assert counts["reddit-home.rss"] == 24
    assert counts["rss-1.rss"] == 69
    assert counts["unrecognized.rss"] == 0
    undated = {name for name, read in got.items() if any(d.published_at is None for d in read.documents)}
    assert undated == {"heraldsun.rss"}
    assert all(d.title or d.text for read in got.values() for d in read.documents)
