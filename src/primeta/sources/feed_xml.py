"""RSS, Atom and CDF through feedparser."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from primeta.sources.feed_dates import time_of
from primeta.sources.feed_entry import MOST_ENTRIES, Entry, Parsed
from primeta.sources.links import canonical_link, site_of

_MAIL_FIRST = re.compile(r"[^\s@()<>]{1,64}@[^\s@()<>]{1,100}\s{1,4}\(([^()]{1,200})\)")
_MAIL_LAST = re.compile(r"([^<>@()]{1,200})[<(](?:mailto:)?[^\s@()<>]{1,64}@[^\s@()<>]{1,100}[>)]")
_TAG = re.compile(r"</?(?:[A-Za-z_][\w.-]{0,40}:)?([A-Za-z_][\w.-]{0,40})[^<>]*>")
_CORE = frozenset({
    "rss", "rdf", "channel", "feed", "item", "items", "entry", "title", "link", "guid", "id", "description", "summary",
    "subtitle", "abstract", "content", "encoded", "author", "creator", "name", "email", "pubdate", "date", "published",
    "updated", "modified", "issued", "created", "div", "p", "br", "a",
})  # fmt: skip
_END = re.compile(r"</(?:[A-Za-z_][\w.-]{0,40}:)?(?:item|entry)\s{0,20}>", re.IGNORECASE)
_MARKUP = ("text/html", "application/xhtml+xml", "html", "xhtml")


def xml_feed(text: str, *, url: str) -> Parsed:
    """RSS, RDF, Atom or CDF of any quality, text without a document type, as feedparser reads it."""
    # Clean UTF-8 goes in, so that feedparser's own guessing has nothing left to guess; its cleaning and resolving is
    # off, since ours is linear in the length and theirs is not.
    headers = {"content-type": "application/xml; charset=utf-8"}
    if base := canonical_link(url):
        headers["content-location"] = base
    text, left_out = _first_entries(text)
    try:
        found = _parsed(text, headers)
    except Exception as error:  # noqa: BLE001 — some broken marks (places, chapters, sizes) make feedparser fall over
        found = _parsed(_TAG.sub(_core_only, text), headers)
        found.update(bozo=True, bozo_exception=f"{type(error).__name__}: {error}")
    feed: dict[str, Any] = found["feed"]
    links: dict[str, str] = {}
    for link in _list(feed, "links"):
        relation, address = _text(link, "rel"), canonical_link(_text(link, "href"), base=base)
        if relation and relation != "alternate" and address:
            links.setdefault(relation, address)
    return Parsed(
        entries=[_entry(entry) for entry in found["entries"][:MOST_ENTRIES]],
        found=len(found["entries"]) + left_out,
        title=_text(feed, "title"),
        title_is_markup=_is_markup(feed, "title"),
        site=canonical_link(_text(feed, "link"), base=base),
        links=links,
        language=_text(feed, "language"),
        format=str(found.get("version") or ""),
        ill_formed=str(found.get("bozo_exception", "not well formed"))[:200] if found.get("bozo") else "",
    )


def _first_entries(text: str) -> tuple[str, int]:
    """The feed without what lies behind its first `MOST_ENTRIES`, which takes feedparser minutes, and how many those are."""
    ends = [match.end() for match in _END.finditer(text)]
    if len(ends) <= MOST_ENTRIES:
        return text, 0
    return text[: ends[MOST_ENTRIES - 1]] + text[ends[-1] :], len(ends) - MOST_ENTRIES


def _parsed(text: str, headers: dict[str, str]) -> dict[str, Any]:
    import feedparser

    return feedparser.parse(
        io.BytesIO(text.encode("utf-8", "replace")),
        response_headers=headers,
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def _core_only(tag: re.Match[str]) -> str:
    """The tag, where it is one of those that we read; its text stays in any case."""
    return tag[0] if tag[1].lower() in _CORE else " "


def _entry(said: Mapping[str, Any]) -> Entry:
    """An entry of feedparser's as ours. Its own aliases (`updated` for `published`) are not asked for."""
    texts = [
        (_text(content, "value"), _text(content, "type") in _MARKUP, _text(content, "base"))
        for content in _list(said, "content")
        if _text(content, "type").startswith("text/") or _text(content, "type") in _MARKUP
    ]
    # A summary without details is feedparser's copy of the content.
    about = _mapping(said, "summary_detail")
    if (summary := _text(said, "summary")) and (about or not texts):
        texts.append((summary, not about or _is_markup(said, "summary"), _text(about, "base")))
    person = _mapping(said, "author_detail")
    cites = [
        _text(link, "href")
        for link in _list(said, "links")
        if _text(link, "rel") in ("via", "related", "cite")
    ]
    taken = _mapping(said, "source")
    where = next((_text(link, "href") for link in _list(taken, "links") if _text(link, "href")), "")
    where = where or _text(taken, "href") or _text(taken, "link")
    return Entry(
        id=_text(said, "id"),
        link=_text(said, "feedburner_origlink") or _text(said, "link"),
        title=_text(said, "title"),
        title_is_markup=_is_markup(said, "title"),
        texts=tuple(texts),
        author=_person(_text(said, "author")) or _text(person, "name") or _text(said, "author"),
        published=_time(said, "published") or _time(said, "created"),
        updated=_time(said, "updated"),
        categories=tuple(_text(tag, "label") or _text(tag, "term") for tag in _list(said, "tags")),
        cites=tuple(cites),
        origin=site_of(where) or _text(taken, "title"),
        language=next(
            (found for content in _list(said, "content") if (found := _text(content, "language"))), ""
        )
        or _text(_mapping(said, "summary_detail"), "language"),
    )


def _person(said: str) -> str:
    """The name in `ann@site.com (Ann)` and `Ann <ann@site.com>`: feedparser knows no domains beyond four letters."""
    match = _MAIL_FIRST.fullmatch(said) or _MAIL_LAST.fullmatch(said)
    return match[1].strip(" \"'") if match else ""


def _time(said: Mapping[str, Any], name: str) -> datetime | None:
    return time_of(
        _text(said, name), parsed=dict.get(said, f"{name}_parsed") if isinstance(said, dict) else None
    )


def _is_markup(said: Mapping[str, Any], name: str) -> bool:
    return _text(_mapping(said, f"{name}_detail"), "type") in _MARKUP


def _text(said: Mapping[str, Any], name: str) -> str:
    value = dict.get(said, name) if isinstance(said, dict) else None
    return value if isinstance(value, str) else ""


def _mapping(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = dict.get(said, name) if isinstance(said, dict) else None
    return value if isinstance(value, dict) else {}


def _list(said: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = dict.get(said, name) if isinstance(said, dict) else None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
