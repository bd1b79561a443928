"""JSON Feed, versions 1.0 and 1.1 (jsonfeed.org)."""

from __future__ import annotations

import json
from typing import Any

from primeta.sources.feed_dates import time_of
from primeta.sources.feed_entry import MOST_ENTRIES, Entry, Parsed
from primeta.sources.links import canonical_link


def json_feed(text: str, *, url: str) -> Parsed:
    """A JSON Feed; nothing at all where it is other JSON, or none.

    What has the wrong type counts as left out: a number where a text belongs is read only as an id.
    """
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError):
        return Parsed()
    if not isinstance(told, dict):
        return Parsed()
    items = told.get("items")
    named = "jsonfeed.org/version/" in _text(told, "version")
    if not isinstance(items, list) or not (named or any(_looks_like_an_item(item) for item in items[:5])):
        return Parsed(format="json1" if named else "", title=_text(told, "title") if named else "")
    relations = {"self": "feed_url", "next": "next_url", "icon": "icon"}
    links = {name: canonical_link(_text(told, key), base=url) for name, key in relations.items()}
    entries = [item for item in items if isinstance(item, dict)]
    return Parsed(
        entries=[_entry(item, told) for item in entries[:MOST_ENTRIES]],
        found=len(entries),
        title=_text(told, "title"),
        site=canonical_link(_text(told, "home_page_url"), base=url),
        links={name: link for name, link in links.items() if link},
        language=_text(told, "language"),
        format="json11" if _text(told, "version").endswith("1.1") else "json1",
    )


def _looks_like_an_item(item: Any) -> bool:
    return isinstance(item, dict) and ("content_html" in item or "content_text" in item)


def _entry(item: dict[str, Any], feed: dict[str, Any]) -> Entry:
    number = item.get("id")
    own = (
        str(number) if isinstance(number, int | float) and not isinstance(number, bool) else _text(item, "id")
    )
    texts = [(_text(item, "content_html"), True, ""), (_text(item, "content_text"), False, "")]
    texts.append((_text(item, "summary"), False, ""))
    link = _text(item, "url")
    external = _text(item, "external_url")
    tags = item.get("tags")
    return Entry(
        id=own,
        link=link or external or (own if own.startswith(("http://", "https://")) else ""),
        title=_text(item, "title"),
        texts=tuple(text for text in texts if text[0]),
        author=_author(item) or _author(feed),
        published=time_of(_text(item, "date_published")),
        updated=time_of(_text(item, "date_modified")),
        categories=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        cites=(external,) if link and external else (),
        language=_text(item, "language"),
    )


def _author(said: dict[str, Any]) -> str:
    """The first author with a name: `authors` of 1.1, `author` of 1.0."""
    several = said.get("authors")
    people = [*(several if isinstance(several, list) else []), said.get("author")]
    return next(
        (name for person in people if isinstance(person, dict) and (name := _text(person, "name"))), ""
    )


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""
