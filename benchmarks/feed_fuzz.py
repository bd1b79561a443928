"""Feeds broken in ten thousand ways: none may crash the reader, hang it or fill the memory.

Each feed is a real or a small one with one to six seeded changes: bytes, tags, entities, encodings, truncation,
nesting, repetition. It is read as every feed is, in the process apart; an exception inside counts as a crash.
"""

from __future__ import annotations

import random
import resource
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from primeta.sources.apart import Apart
from primeta.sources.feed import FeedRead, read_here
from primeta.sources.records import Source, Trouble

NAME = "feed-fuzz"
FEEDS = Path(__file__).parents[2] / "shared" / "data" / "feeds"
SOURCE = Source(name="fuzz", reader="feed", kind="agency", at="https://example.com/feed", owner="fuzz")
SEEN = datetime(2026, 11, 26, tzinfo=UTC)
SECONDS = 10.0
MEGABYTES = 600

SMALL = (
    b"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE rss [<!ENTITY firm "Firm &#169;">]>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>One &firm;</title>
<link>http://example.com/</link><item><guid isPermaLink="false">1</guid><title>A &amp; B</title><link>/a?utm_source=x</link>
<pubDate>Tue, 03 Mar 2026 10:00:00 +0300</pubDate><author>a@example.com (A)</author><category>c</category>
<description>&lt;p&gt;x &lt;a href="b"&gt;y&lt;/a&gt;</description><content:encoded><![CDATA[<div>z<script>1</script></div>]]>
</content:encoded></item><item><title>2</title></item></channel></rss>""",
    """<?xml version="1.0" encoding="windows-1251"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ru"><title>Лента</title>
<entry><id>urn:1</id><title type="html">&lt;b&gt;Скидки&lt;/b&gt;</title><updated>2026-03-03T10:00:00Z</updated>
<link rel="alternate" href="http://example.com/1"/><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Да</p>
</div></content></entry></feed>""".encode("cp1251"),
    """{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [{"id": "1", "content_html": "<p>Да</p>",
"date_published": "2026-03-03T10:00:00Z", "authors": [{"name": "A"}], "tags": ["t"]}]}""".encode(),
    b"""<CHANNEL HREF="http://example.com/"><TITLE>C</TITLE><ITEM HREF="http://example.com/1" LASTMOD="2026-03-03">
<TITLE>One</TITLE><ABSTRACT>Text</ABSTRACT></ITEM></CHANNEL>""",
)
"""RSS with a document type, Atom in windows-1251, JSON Feed, CDF."""

_PIECES = (
    b"<", b">", b"&", b";", b'"', b"'", b"\x00", b"\xff", b"\xd0", b"\xed\xa0\x80", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?xml ",
    b"<!DOCTYPE x [", b'<!ENTITY a "&b;&b;">', b'<!ENTITY % p SYSTEM "file:///etc/passwd">%p;', b"&#0;", b"&#xD800;", b"&#99999999;",
    b"&a;", b"</item>", b"<item>", b"<entry>", b"<title>", b"<script>", b"</script", b"<a href='", b"<p", b"<b><i></b>", b"xml:base='//['",
    b"<link href='http://[::1'/>", b"<pubDate>99999</pubDate>", b"<content type='base64'>", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b$B",
    b'"items":', b"[[[[", b"{", b"1e999", b"-1", b"null",
)  # fmt: skip
_ENCODINGS = (
    "utf-16", "utf-16-be", "utf-32", "cp1251", "koi8-r", "cp866", "latin-1", "utf-7", "gb18030", "cp037", "utf-8-sig",
)  # fmt: skip
_DECLARED = (
    b"utf-8",
    b"utf-16",
    b"windows-1251",
    b"koi8-r",
    b"hex",
    b"zlib",
    b"idna",
    b"x-none",
    b"iso-2022-jp",
    b"",
)


def _place(chance: random.Random, feed: bytes) -> int:
    return chance.randrange(len(feed) + 1)


def _bytes(chance: random.Random, feed: bytes) -> bytes:
    changed = bytearray(feed)
    for _ in range(chance.randint(1, 30)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(chance: random.Random, feed: bytes) -> bytes:
    at = _place(chance, feed)
    return feed[:at] + chance.choice(_PIECES) * chance.choice((1, 1, 1, 3, 50)) + feed[at:]


def _truncate(chance: random.Random, feed: bytes) -> bytes:
    return feed[: _place(chance, feed)]


def _cut(chance: random.Random, feed: bytes) -> bytes:
    start, end = sorted((_place(chance, feed), _place(chance, feed)))
    return feed[:start] + feed[end:]


def _repeat(chance: random.Random, feed: bytes) -> bytes:
    start = _place(chance, feed)
    piece = feed[start : start + chance.randint(1, 400)]
    return feed[:start] + piece * chance.choice((2, 5, 100)) + feed[start:]


def _nest(chance: random.Random, feed: bytes) -> bytes:
    at, depth = _place(chance, feed), chance.choice((10, 300, 5_000))
    name = chance.choice((b"div", b"item", b"entry", b"b", b"p", b"a:b", b"title"))
    return feed[:at] + b"<%s>" % name * depth + b"x" + b"</%s>" % name * chance.choice((0, depth)) + feed[at:]


def _tags(chance: random.Random, feed: bytes) -> bytes:
    pieces = feed.split(b"<")
    if len(pieces) > 2:
        one, other = chance.randrange(1, len(pieces)), chance.randrange(1, len(pieces))
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return b"<".join(pieces)


def _entities(chance: random.Random, feed: bytes) -> bytes:
    depth, width = chance.randint(2, 12), chance.choice((2, 10))
    lines = [b'<!ENTITY e0 "%s">' % (b"ha" * chance.choice((1, 1_000)))]
    lines += [b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * width) for level in range(1, depth)]
    head = b"<!DOCTYPE x [%s]>" % b"".join(lines)
    used = feed.replace(
        b"<title>", b"<title>" + b"&e%d;" % (depth - 1) + b"&e0;" * chance.choice((1, 2_000)), 1
    )
    start = used.find(b"<rss") if b"<rss" in used else _place(chance, used)
    return used[:start] + chance.choice((b"", b"<!-- <x -->", b"<?x <y ?>")) + head + used[start:]


def _encode(chance: random.Random, feed: bytes) -> bytes:
    return feed.decode("utf-8", "replace").encode(chance.choice(_ENCODINGS), "replace")


def _declare(chance: random.Random, feed: bytes) -> bytes:
    return b'<?xml version="1.0" encoding="%s"?>' % chance.choice(_DECLARED) + feed[feed.find(b"?>") + 2 :]


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _bytes, _insert, _insert, _truncate, _cut, _repeat, _nest, _tags, _entities, _encode, _declare,
)  # fmt: skip


def mutations(number: int, *, seed: int, feeds: Sequence[bytes]) -> Iterator[bytes]:
    """`number` broken feeds, the same for the same seed and feeds."""
    chance = random.Random(seed)
    for _ in range(number):
        feed = chance.choice(feeds)
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            feed = chance.choice(_WAYS)(chance, feed)
        yield feed[:2_000_000]


def real_feeds(*, largest: int = 60_000) -> list[bytes]:
    """The feeds of both corpora, where they are at hand."""
    found: list[bytes] = []
    for archive in sorted(FEEDS.glob("*.tar.xz")):
        with tarfile.open(archive) as packed:
            for member in packed:
                content = packed.extractfile(member) if member.isfile() and member.size <= largest else None
                if content is not None and member.name.endswith((".xml", ".rss", ".atom", ".json")):
                    found.append(content.read())
    return found


def memory_used() -> float:
    """Megabytes that this process has needed at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(*, quick: bool) -> list[dict[str, object]]:
    number = 500 if quick else 10_000
    feeds = [*SMALL * 20, *real_feeds()]
    reader = Apart()
    outcomes: Counter[str] = Counter()
    crashed: list[str] = []
    longest = documents = 0.0
    most = 0.0
    started = time.perf_counter()
    for feed in mutations(number, seed=5, feeds=feeds):
        began = time.perf_counter()
        got = reader.call(
            read_here, feed, source=SOURCE, url="https://example.com/feed", seen_at=SEEN, seconds=SECONDS
        )
        longest = max(longest, time.perf_counter() - began)
        if isinstance(got, Trouble):
            outcomes[got.code] += 1
            crashed.append(f"{got.code} {dict(got.values)}")
            continue
        assert isinstance(got, FeedRead)
        documents += len(got.documents)
        outcomes["read" if got.documents else got.troubles[0].code if got.troubles else "nothing in it"] += 1
        if sum(outcomes.values()) % 100 == 0 and isinstance(used := reader.call(memory_used), float):
            most = max(most, used)
    took = time.perf_counter() - started
    reader.close()
    note = ", ".join(f"{code} {count}" for code, count in outcomes.most_common())
    return [
        {"what": f"broken feeds ({number}, {len(feeds)} to begin with)", "aim": "", "reached": f"{took:.0f} s", "note": note},
        {"what": "crashes, hangs, memory refused", "aim": 0, "reached": len(crashed), "note": "; ".join(crashed[:3])},
        {"what": "longest, seconds", "aim": f"< {SECONDS:g}", "reached": f"{longest:.2f}"},
        {"what": "memory of the process at most, MB", "aim": f"< {MEGABYTES}", "reached": f"{most:.0f}"},
    ]  # fmt: skip
