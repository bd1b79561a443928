"""Web pages as documents: the article that stands there, or what has changed since the page was last seen.

Pages are written by others and parsed by libraries in C, so all of it happens in a process apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from primeta.facts import Provenance
from primeta.sources.apart import apart
from primeta.sources.feed import AHEAD, declared_language
from primeta.sources.html_text import tidy
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.page_article import Article, article_of
from primeta.sources.page_bytes import markup_of
from primeta.sources.page_change import Change, change_of
from primeta.sources.page_change_words import telling, title_of
from primeta.sources.page_noise import asks_if_human, steady
from primeta.sources.page_part import NoPart, Part, part_of
from primeta.sources.pdf import read_pdf
from primeta.sources.records import Brought, Document, Source, Trouble

LARGEST = 8 * 2**20
"""Bytes of one page; the largest that people read are about 5 MB, most of it scripts."""
SECONDS = 20.0
LONGEST_TEXT = 500_000
FEWEST_LETTERS = 20
"""Of a page's article; below it, there is nothing to read."""


def read_page(
    raw: bytes | Path,
    *,
    source: Source,
    media: str = "",
    encoding: str = "",
    url: str = "",
    seen_at: datetime,
    before: bytes | None = None,
    position: Mapping[str, object] | None = None,
    seconds: float = SECONDS,
) -> Brought:
    """What a page says; with `source.changes`, what is different in it from its last version.

    Args:
        raw: Its bytes as they came, decompressed. A PDF is read as such.
        encoding: As the server told it; a byte order mark goes before it, the page's own word after.
        url: Where it came from.
        seen_at: Aware. What says that it was published more than two days later has no date.
        before: The page as it was when last seen; without it, a page that is watched for change brings nothing: it is
            the baseline.
    Returns:
        No exception for what is in the bytes: `too-large`, `too-slow`, `bomb`, `unreadable`, `no-text` (nothing to read
        without a browser), `no-part` (`source.select` finds nothing, in this version or the one before), `no-date`,
        `future-date`.
    """
    del position
    content = raw.read_bytes() if isinstance(raw, Path) else raw
    if content.startswith(b"%PDF-"):
        same = before is not None and hashlib.sha256(before).digest() == hashlib.sha256(content).digest()
        if source.changes and (before is None or same):
            return Brought()
        return read_pdf(
            content, source=source, media=media, encoding=encoding, url=url, seen_at=seen_at, seconds=seconds
        )
    if max(len(content), len(before or b"")) > LARGEST:
        size = max(len(content), len(before or b""))
        return _only(
            Trouble(
                code="too-large",
                values={"reason": "reading", "bytes": size, "largest": LARGEST},
                permanent=True,
            )
        )
    if source.changes and before is None:
        # Read all the same: a selector that finds nothing is to be told now, not at the first change.
        found = apart(part_here, content, select=source.select, encoding=encoding, url=url, seconds=seconds)
        if isinstance(found, NoPart):
            return _only(_no_part(source))
        return _only(found) if isinstance(found, Trouble) else Brought()
    read = apart(
        read_page_here,
        content,
        source=source,
        encoding=encoding,
        url=url,
        seen_at=seen_at,
        before=before,
        seconds=seconds,
    )
    return _only(read) if isinstance(read, Trouble) else read


def read_page_here(
    raw: bytes, *, source: Source, encoding: str, url: str, seen_at: datetime, before: bytes | None
) -> Brought:
    """`read_page` in this process, without limits."""
    if source.changes and before is not None:
        return _changed(raw, before, source=source, encoding=encoding, url=url, seen_at=seen_at)
    markup = markup_of(raw, told=encoding)
    article = article_of(markup, url=url, select=source.select)
    if isinstance(article, NoPart):
        return _only(_no_part(source))
    if sum(letter.isalpha() for letter in article.text) < FEWEST_LETTERS:
        return _only(Trouble(code="no-text", values={"what": "page"}))
    if asks_if_human(article.title, article.text):
        return _only(Trouble(code="no-text", values={"what": "human"}))
    return _of_article(raw, article, source=source, url=url, seen_at=seen_at)


def part_here(raw: bytes, *, select: str, encoding: str, url: str) -> Part | NoPart:
    """The part of a page that is watched."""
    return part_of(markup_of(raw, told=encoding), select=select, url=url)


def _of_article(raw: bytes, article: Article, *, source: Source, url: str, seen_at: datetime) -> Brought:
    address = article.url or canonical_link(url) or url
    said = article.published_at
    troubles: list[Trouble] = []
    if said is not None and said > seen_at + AHEAD:
        said = None
        troubles.append(Trouble(code="future-date", values={"entries": 1}))
    elif said is None:
        troubles.append(Trouble(code="no-date", values={"entries": 1}))
    document = Document(
        id=document_id(source.name, address or article.text),
        source=source.name,
        owner=source.owner,
        kind=source.kind,
        published_at=said,
        seen_at=seen_at,
        title=article.title,
        text=article.text[:LONGEST_TEXT],
        url=address,
        author=article.author,
        language=source.language or declared_language(article.language, f"{article.title} {article.text}"),
        links=tuple(link for link in article.links if link not in (address, canonical_link(url))),
    )
    return Brought(documents=(_kept(document, raw, url=url, source=source),), troubles=tuple(troubles))


def _changed(
    raw: bytes, before: bytes, *, source: Source, encoding: str, url: str, seen_at: datetime
) -> Brought:
    if raw == before:
        return Brought()
    new = part_of(markup_of(raw, told=encoding), select=source.select, url=url)
    old = part_of(markup_of(before, told=encoding), select=source.select, url=url)
    if isinstance(new, NoPart) or isinstance(old, NoPart):
        return _only(_no_part(source))
    said = [line for block in new.blocks for line in block.lines]
    if not any(steady(line) for line in said):
        return _only(Trouble(code="no-text", values={"what": "page"}))
    if asks_if_human(new.title, "\n".join(said)):
        return _only(Trouble(code="no-text", values={"what": "human"}))
    change: Change = change_of(old, new, now=seen_at)
    if not change.any:
        return Brought()
    address = canonical_link(url) or url
    language = "ru" if (source.language or new.language) == "ru" else "en"
    # The bytes of both versions name it, not what this version of the code makes of them.
    native = "\0".join(
        (
            address,
            hashlib.sha256(before).hexdigest(),
            hashlib.sha256(raw).hexdigest(),
            seen_at.date().isoformat(),
        )
    )
    document = Document(
        id=document_id(source.name, native),
        source=source.name,
        owner=source.owner,
        kind=source.kind,
        published_at=None,
        seen_at=seen_at,
        title=title_of(change, page=new.title or old.title, lang=language),
        text=tidy(telling(change, lang=language))[:LONGEST_TEXT],
        url=address,
        language=language,
        links=tuple(link for link in new.links if link not in old.links and link != address),
        attributes=change.counts(),
    )
    return Brought(documents=(_kept(document, raw, url=url, source=source),))


def _kept(document: Document, raw: bytes, *, url: str, source: Source) -> Document:
    return replace(
        document,
        raw=hashlib.sha256(raw).hexdigest(),
        provenance=Provenance(
            source=url or source.at, seen_until=document.seen_at, code_version=version("primeta")
        ),
    )


def _no_part(source: Source) -> Trouble:
    return Trouble(code="no-part", values={"select": source.select})


def _only(trouble: Trouble) -> Brought:
    return Brought(troubles=(trouble,))
