"""The article of a web page: its text without menus and adverts, title, author, date, language, links, own address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from primeta.sources.feed_dates import time_of
from primeta.sources.html_text import plain_of, tidy
from primeta.sources.links import canonical_link, site_of
from primeta.sources.page_part import NoPart, cleaned, declared_title, tree_of

LONGEST_TITLE = 1_000
MOST_LINKS = 2_000
_MOST_JSON = 200_000
_DEEPEST = 12

_BLOCKS = frozenset(
    {"p", "head", "item", "row", "quote", "list", "table", "code", "lb", "div", "section", "hi-block"}
)
_PUBLISHED = (
    'meta[property="article:published_time"]', 'meta[name="article:published_time"]', 'meta[itemprop="datePublished"]',
    'meta[name="pubdate"]', 'meta[name="publishdate"]', 'meta[name="publish-date"]', 'meta[name="date"]',
    'meta[name="dc.date"]', 'meta[name="DC.date.issued"]', 'meta[name="parsely-pub-date"]',
    'meta[property="og:published_time"]', '[itemprop="datePublished"][datetime]', '[itemprop="datePublished"][content]',
    "time[pubdate][datetime]", "article header time[datetime]", "article time[datetime]", "main time[datetime]",
)  # fmt: skip
"""Where pages say it in a form that is meant for programs, the surest first."""
_AUTHORS = ('meta[name="author"]', 'meta[property="article:author"]', 'meta[name="parsely-author"]')
_ARTICLES = frozenset({
    "article", "newsarticle", "blogposting", "report", "techarticle", "scholarlyarticle", "webpage", "socialmediaposting",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says."""

    title: str
    text: str
    author: str
    published_at: datetime | None
    language: str
    """As the page declares it."""
    links: tuple[str, ...]
    url: str
    """Its own, canonical, where it is on the same site; else empty."""


def article_of(markup: str, *, url: str, select: str = "") -> Article | NoPart:
    """The article; with `select`, the text of what the selector finds, the rest from the page's head.

    What is no article (a few lines, a table) is read as all of its text without navigation.
    """
    tree = tree_of(markup)
    said = _ld(tree)
    head = Article(
        title=_title(tree, said),
        text="",
        author=_author(tree, said),
        published_at=_published(tree, said),
        language=(tree.css_first("html").attributes.get("lang") or "") if tree.css_first("html") else "",
        links=(),
        url=_own(tree, url),
    )
    if select:
        found = cleaned(tree, select=select)
        if isinstance(found, NoPart):
            return found
        plains = [plain_of(node.html or "", base=url) for node in found]
        return replace(
            head,
            text="\n".join(plain.text for plain in plains if plain.text),
            links=tuple(dict.fromkeys(link for plain in plains for link in plain.links)),
        )
    text, links, title, day = _extracted(markup, url)
    whole = [] if text else cleaned(tree, select="")
    if not text and not isinstance(whole, NoPart):
        plain = plain_of("\n".join(node.html or "" for node in whole), base=url)
        text, links = plain.text, plain.links
    return replace(
        head,
        title=head.title or title,
        text=text,
        links=links[:MOST_LINKS],
        published_at=head.published_at or day,
    )


def _extracted(markup: str, url: str) -> tuple[str, tuple[str, ...], str, datetime | None]:
    """Text, links, title and day as trafilatura finds them; empty where there is no article."""
    import trafilatura

    found: Any = trafilatura.bare_extraction(
        markup,
        url=url or None,
        with_metadata=True,
        include_comments=False,
        include_links=True,
        include_tables=True,
        # Only a day that the page states; a search through the text finds days of other things.
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if found is None or found.body is None:
        return "", (), "", None
    text = tidy("".join(_lines(found.body)))
    links = dict.fromkeys(
        link
        for node in found.body.iter("ref")
        if (link := canonical_link(node.get("target") or "", base=url))
    )
    title = " ".join((found.title or "").split())[:LONGEST_TITLE]
    # The heading is the title: it is not said twice.
    first, _, rest = text.partition("\n")
    if title and first == title:
        text = rest
    return text, tuple(links), title, time_of(found.date or "")


def _lines(node: Any) -> Iterator[str]:
    block = node.tag in _BLOCKS
    if block:
        yield "\n"
    elif node.tag == "cell":
        yield " "
    if node.text:
        yield node.text.replace("\n", " ")
    for child in node:
        yield from _lines(child)
        if child.tail:
            yield child.tail.replace("\n", " ")
    if block:
        yield "\n"


def _ld(tree: Any) -> list[dict[str, Any]]:
    """What the page tells of itself in JSON-LD, articles first."""
    found: list[dict[str, Any]] = []

    def walk(value: Any, depth: int) -> None:
        if depth > _DEEPEST or len(found) >= 50:
            return
        if isinstance(value, list):
            for each in value:
                walk(each, depth + 1)
        elif isinstance(value, dict):
            if "@type" in value:
                found.append(value)
            walk(value.get("@graph"), depth + 1)

    for node in tree.css('script[type="application/ld+json"]')[:20]:
        written = (node.text(deep=True) or "")[:_MOST_JSON]
        try:
            walk(json.loads(written), 0)
        except (ValueError, RecursionError):
            continue
    return sorted(found, key=lambda entry: not _kinds(entry) & _ARTICLES)


def _kinds(entry: dict[str, Any]) -> set[str]:
    kinds = entry.get("@type")
    return {str(kind).lower() for kind in (kinds if isinstance(kinds, list) else [kinds])}


def _content(tree: Any, selector: str) -> str:
    node = tree.css_first(selector)
    if node is None:
        return ""
    return (node.attributes.get("content") or node.attributes.get("datetime") or "").strip()


def _published(tree: Any, said: list[dict[str, Any]]) -> datetime | None:
    told = [str(entry.get("datePublished") or "") for entry in said if _kinds(entry) & _ARTICLES]
    told += [_content(tree, selector) for selector in _PUBLISHED]
    return next(filter(None, (time_of(each) for each in told if each)), None)


def _author(tree: Any, said: list[dict[str, Any]]) -> str:
    for entry in said:
        if not _kinds(entry) & _ARTICLES:
            continue
        authors = entry.get("author")
        names = [
            author.get("name", "") if isinstance(author, dict) else author
            for author in (authors if isinstance(authors, list) else [authors])
        ]
        if named := ", ".join(str(name).strip() for name in names if isinstance(name, str) and name.strip()):
            return tidy(named).replace("\n", " ")[:200]
    for selector in _AUTHORS:
        # Some sites put the address of a profile there.
        if (name := _content(tree, selector)) and not name.startswith(("http:", "https:")):
            return tidy(name).replace("\n", " ")[:200]
    return ""


def _title(tree: Any, said: list[dict[str, Any]]) -> str:
    for entry in said:
        headline = entry.get("headline")
        if _kinds(entry) & (_ARTICLES - {"webpage"}) and isinstance(headline, str) and headline.strip():
            return " ".join(tidy(plain_of(headline).text).split())[:LONGEST_TITLE]
    if title := _content(tree, 'meta[property="og:title"]'):
        return " ".join(tidy(title).split())[:LONGEST_TITLE]
    headings = tree.css("h1")
    if len(headings) == 1 and (title := " ".join(tidy(headings[0].text(separator=" ")).split())):
        return title[:LONGEST_TITLE]
    return re.split(r"\s+[|–—]\s+", declared_title(tree))[0][:LONGEST_TITLE]


def _own(tree: Any, url: str) -> str:
    """The address that the page gives itself, where it leads to the same site: others' would let it pass for them."""
    for selector, name in (('link[rel="canonical"]', "href"), ('meta[property="og:url"]', "content")):
        node = tree.css_first(selector)
        link = canonical_link((node.attributes.get(name) or "") if node is not None else "", base=url)
        if link and site_of(link) == site_of(url):
            return link
    return ""
