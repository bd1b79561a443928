"""Search: one field over everything that was collected, by words and by meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response
from markupsafe import Markup, escape

from primeta.web.background import Answers, Beside
from primeta.web.page import page, reader_of, site_of
from primeta.web.pages.sources import PLACE
from primeta.web.reader import Reader
from primeta.web.texts_rows import Told, told_of
from primeta.web.texts_words import KINDS, kind_word
from primeta.workspace.search_words import tell
from primeta.workspace.texts_views import Found, Hit

router = APIRouter()
LIMIT = 30
LONGEST_QUERY = 300
LONGEST_SNIPPET = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRow:
    """A found document, the searched words marked."""

    told: Told
    head: Markup
    """Its title; of a message without one, what was found of it."""
    snippet: Markup
    by: str
    copies: int


@router.get("/search")
def search(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    now, given = site.now(), request.query_params
    query = given.get("q", "").strip()[:LONGEST_QUERY]
    declared = site.workspace.declared()
    names = [source.name for source in declared]
    kind = given.get("kind", "") if given.get("kind", "") in KINDS else ""
    source = given.get("source", "") if given.get("source", "") in names else ""
    since, until = day_of(given.get("since", "")), day_of(given.get("until", ""))
    beside = Beside[Found]()
    if query:
        options = {
            "limit": LIMIT,
            "kinds": (kind,) if kind else (),
            "sources": (source,) if source else (),
            "since": since,
            "until": until,
        }
        # The first search after much has come adds it to the index, which may take longer than a page.
        answers: Answers[Found] = request.app.state.searches
        beside = answers.ask(
            (query, *options.values(), site.workspace.collected()),
            lambda: site.workspace.search(query, now=now, **options),
        )
    found, problem = beside.answer, beside.problem
    return page(
        request,
        "search.html",
        reader,
        status=400 if problem else 200,
        place=PLACE,
        working=beside.working,
        found=found,
        problem=problem,
        why_not=tell("ru" if reader.lang == "ru" else "en", found.why_not) if found and found.why_not else "",
        rows=[hit_row(reader, hit) for hit in found.hits] if found else [],
        title=_finding(reader, found),
        values={"q": query, "kind": kind, "source": source,
                "since": since.isoformat() if since else "", "until": until.isoformat() if until else ""},
        kinds=[(code, kind_word(code, reader.lang)) for code in KINDS if code in {source.kind for source in declared}],
        names=names,
        has_sources=bool(declared),
        limit=LIMIT,
    )  # fmt: skip


def day_of(text: str) -> date | None:
    """A day of a form, or nothing."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def hit_row(reader: Reader, hit: Hit) -> HitRow:
    by = [str(reader._("by words")) if way == "words" else str(reader._("by meaning")) for way in hit.by]
    told, found = told_of(reader, hit.document), marked(hit.snippet)
    titled = bool(hit.document.title.strip())
    return HitRow(
        told=told,
        head=escape(told.title) if titled or not found else found,
        snippet=found if titled else Markup(""),
        by=reader.listed(by),
        copies=hit.copies,
    )


def marked(pieces: tuple[tuple[str, bool], ...]) -> Markup:
    """A snippet with its searched words marked; every piece is escaped."""
    parts, room = [], LONGEST_SNIPPET
    for text, searched in pieces:
        shown = text if len(text) <= room else text[:room].rstrip() + "…"
        parts.append(Markup("<mark>") + escape(shown) + Markup("</mark>") if searched else escape(shown))
        room -= len(text)
        if room <= 0:
            break
    return Markup("").join(parts)


def _finding(reader: Reader, found: Found | None) -> str:
    if found is None:
        return str(reader._("Search everything that was collected"))
    if not found.hits:
        return str(reader._("Nothing was found for “{query}”", query=found.query))
    return str(
        reader._n("{n} text on “{query}”", "{n} texts on “{query}”", len(found.hits), query=found.query)
    )
