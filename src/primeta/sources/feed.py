"""Feeds as documents: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, CDF and JSON Feed, well formed or not."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.metadata import version

from primeta.facts import Provenance
from primeta.sources.apart import apart
from primeta.sources.feed_bytes import LARGEST, readable, unscrambled
from primeta.sources.feed_entry import Entry
from primeta.sources.feed_json import json_feed
from primeta.sources.feed_xml import xml_feed
from primeta.sources.html_text import Plain, plain_of, tidy
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link, site_of
from primeta.sources.records import Document, Source, Trouble

LONGEST_TEXT = 500_000
"""Characters of one document; a longer one is cut."""
LONGEST_TITLE = 1_000
MOST_CATEGORIES = 20
AHEAD = timedelta(days=2)
"""How far after it was seen an entry may say that it was published: clocks and zones, not wishes."""
SECONDS = 20.0

_PAGE = re.compile(r"<\s{0,8}(?:!doctype\s{1,8}html|html)[\s>]", re.IGNORECASE)
_ALTERNATE = re.compile(r"<link\s([^<>]{0,2000})>", re.IGNORECASE)
_HREF = re.compile(r"""href\s{0,4}=\s{0,4}["']([^"'<>]{1,2000})["']""", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json)", re.IGNORECASE)
_CYRILLIC = frozenset(("ru", "uk", "be", "bg", "mk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRead:
    """What a feed brought."""

    documents: tuple[Document, ...] = ()
    """In the order of the feed, each once."""
    troubles: tuple[Trouble, ...] = ()
    title: str = ""
    site: str = ""
    """The page that the feed belongs to."""
    links: Mapping[str, str] = field(default_factory=dict)
    """The feed's other addresses by their relation: `self`, `next`, `hub` …"""
    format: str = ""
    """`rss20`, `atom10`, `cdf`, `json11` … as feedparser names them."""
    encoding: str = ""


def read_feed(
    raw_bytes: bytes,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    seconds: float = SECONDS,
) -> FeedRead:
    """The documents of a feed, whatever its bytes are: read in a process apart, within a time and a memory.

    Args:
        raw_bytes: As they came, decompressed.
        media: Their type as told; nothing but a hint, the bytes decide.
        encoding: The set of characters as the server told it; may be empty or wrong.
        url: Where they came from; relative links are resolved against it.
        seen_at: Aware; what says that it was published more than two days later has no date.
        seconds: Of the clock.
    Returns:
        Never an exception: what cannot be read is in `troubles` (`too-large`, `bomb`, `too-slow`, `unreadable`,
        `not-a-feed`; and, beside documents, `ill-formed`, `encoding`, `no-date`, `future-date`, `too-many`, `repeated`).
    """
    if len(raw_bytes) > LARGEST:
        return _only(_too_large(len(raw_bytes)))
    read = apart(
        read_here,
        raw_bytes,
        source=source,
        media=media,
        encoding=encoding,
        url=url,
        seen_at=seen_at,
        seconds=seconds,
    )
    return _only(read) if isinstance(read, Trouble) else read


def read_here(
    raw_bytes: bytes,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
) -> FeedRead:
    """`read_feed` in this process, without limits on time and memory: for bytes that are trusted."""
    ready = readable(raw_bytes, told=encoding)
    if isinstance(ready, str):
        size = len(raw_bytes)
        return _only(
            _too_large(size)
            if ready == "too-large"
            else Trouble(code=ready, values={"reason": "reading"}, permanent=True)
        )
    troubles: list[Trouble] = []
    if ready.odd == "encoding":
        troubles.append(Trouble(code="encoding", values={"read_as": ready.encoding}))
    read = json_feed if ready.text.startswith("{") else xml_feed
    parsed = read(ready.text, url=url)
    entries = parsed.entries
    title = _title(parsed.title, parsed.title_is_markup)
    if not parsed.format and not entries and (not (title or parsed.site) or _PAGE.search(ready.text[:2_000])):
        return _only(_no_feed(ready.text, url=url))
    if parsed.found > len(entries):
        troubles.append(Trouble(code="too-many", values={"entries": parsed.found, "read": len(entries)}))
    if parsed.ill_formed:
        troubles.append(Trouble(code="ill-formed", values={"why": parsed.ill_formed}))
    natives = _natives(entries)
    digest = hashlib.sha256(raw_bytes).hexdigest()
    provenance = Provenance(source=url or source.at, seen_until=seen_at, code_version=version("primeta"))
    documents: dict[str, tuple[Document, datetime | None]] = {}
    counts: Counter[str] = Counter()
    for entry, native in zip(entries, natives, strict=True):
        document = _document(entry, native, source=source, url=url, seen_at=seen_at, language=parsed.language)
        if document is None:
            counts["empty"] += 1
            continue
        if document.published_at is None:
            ahead = entry.published is not None and entry.published > seen_at + AHEAD
            counts["future-date" if ahead else "no-date"] += 1
        document = replace(document, raw=digest, provenance=provenance)
        newest = max(filter(None, (entry.updated, entry.published)), default=None)
        if (before := documents.get(document.id)) is not None:
            counts["repeated"] += 1
            if newest is None or (before[1] is not None and newest <= before[1]):
                continue
        documents[document.id] = (document, newest)
    troubles += [Trouble(code=code, values={"entries": number}) for code, number in sorted(counts.items())]
    return FeedRead(
        documents=tuple(document for document, _ in documents.values()),
        troubles=tuple(troubles),
        title=title,
        site=parsed.site,
        links=parsed.links,
        format=parsed.format,
        encoding=ready.encoding,
    )


def _document(
    entry: Entry, native: str, *, source: Source, url: str, seen_at: datetime, language: str
) -> Document | None:
    """The document of an entry; None where it says nothing."""
    address = canonical_link(entry.link, base=url)
    title = _title(entry.title, entry.title_is_markup)
    texts = [_plain(text, markup, base=base or address or url) for text, markup, base in entry.texts]
    body = max(texts, key=lambda plain: len(plain.text), default=Plain("", ()))
    if not title and not body.text and not address:
        return None
    links = dict.fromkeys(link for plain in texts for link in plain.links)
    links |= dict.fromkeys(filter(None, (canonical_link(link, base=url) for link in entry.cites)))
    links.pop(address, None)
    said = entry.published or entry.updated
    if said is not None and said > seen_at + AHEAD:
        said = None
    text = body.text[:LONGEST_TEXT]
    attributes: dict[str, str] = {}
    if categories := dict.fromkeys(filter(None, (tidy(name)[:100] for name in entry.categories))):
        attributes["categories"] = ", ".join(list(categories)[:MOST_CATEGORIES])
    if entry.updated is not None and said is not None and entry.updated > said:
        attributes["updated_at"] = entry.updated.isoformat().replace("+00:00", "Z")
    taken_over = entry.origin and entry.origin not in (site_of(url), site_of(source.at), source.owner)
    return Document(
        id=document_id(source.name, native or address or f"{title}\n{text}"),
        source=source.name,
        owner=source.owner,
        kind=source.kind,
        published_at=said,
        seen_at=seen_at,
        title=title,
        text=text,
        url=address,
        author=tidy(unscrambled(entry.author)).replace("\n", " ")[:200],
        language=source.language or declared_language(entry.language or language, f"{title} {text}"),
        links=tuple(links),
        forwarded_from=tidy(entry.origin).replace("\n", " ")[:200] if taken_over else "",
        attributes=attributes,
    )


def _natives(entries: Iterable[Entry]) -> list[str]:
    """Each entry's own id; none where entries of this feed that lead to different places share it."""
    entries = list(entries)
    places: dict[str, set[str]] = {}
    for entry in entries:
        places.setdefault(entry.id.strip(), set()).add(entry.link.strip())
    return [own if len(places[own := entry.id.strip()]) == 1 else "" for entry in entries]


def _plain(text: str, markup: bool, *, base: str) -> Plain:
    text = unscrambled(text)
    return plain_of(text, base=base) if markup else Plain(tidy(text), ())


def _title(text: str, markup: bool) -> str:
    return " ".join(_plain(text, markup, base="").text.split())[:LONGEST_TITLE]


def declared_language(said: str, text: str) -> str:
    """The two letters of the language that is declared, where the script of the text does not contradict."""
    code = said.strip().lower().replace("_", "-").split("-")[0]
    if not re.fullmatch(r"[a-z]{2}", code):
        return ""
    letters = [letter for letter in text[:2_000] if letter.isalpha()]
    cyrillic = sum(1 for letter in letters if "\u0400" <= letter <= "\u04ff")
    if not letters or (cyrillic * 2 > len(letters)) != (code in _CYRILLIC):
        return ""
    return code


def _no_feed(text: str, *, url: str) -> Trouble:
    """That it is no feed; where it is a page that names its feeds, which ones."""
    values: dict[str, object] = {"page": bool(_PAGE.search(text[:2_000]))}
    named = [
        canonical_link(address[1].replace("&amp;", "&"), base=url)
        for match in _ALTERNATE.finditer(text[:200_000])
        if _FEED_TYPE.search(match[1]) and (address := _HREF.search(match[1]))
    ]
    if feeds := list(dict.fromkeys(filter(None, named)))[:10]:
        values["feeds"] = feeds
    return Trouble(code="not-a-feed", values=values, permanent=True)


def _too_large(size: int) -> Trouble:
    return Trouble(
        code="too-large", values={"reason": "reading", "bytes": size, "largest": LARGEST}, permanent=True
    )


def _only(trouble: Trouble) -> FeedRead:
    return FeedRead(troubles=(trouble,))
