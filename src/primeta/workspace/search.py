"""`search`: what was collected, by words and by meaning, copies folded."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from primeta.errors import BadInput, NotFound
from primeta.signals.texts.plain_words import tokens
from primeta.signals.texts.search import Asked, fused, kind_of, parse_query, searched_forms, snippet
from primeta.signals.texts.vectors import cosines, encode, identity_of, middle, number_of
from primeta.store import reading as rows
from primeta.store.documents import Numbered, count_documents, load_numbered, members_of
from primeta.store.sources import load_states
from primeta.workspace.text_index import update_index, vector_file, word_index
from primeta.workspace.texts_views import Found, Hit

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

LIMIT = 20
MOST = 500
NEAR = 0.25
"""Cosine, seen from the middle of all texts, from which a text may be about what was asked; unrelated ones lie about 0."""
NEAR_THE_BEST = 0.5
"""And at least this part of the nearest one's."""
_WORDS_NOW, _VECTORS_NOW = 50_000, 1_000
"""Documents that a search adds to the index by itself: more would keep a person waiting."""
_WAYS: tuple[Literal["words", "meaning"], ...] = ("words", "meaning")
_LONG = 5
_ENOUGH = 100


def search(
    ws: Workspace,
    query: str,
    *,
    limit: int = LIMIT,
    kinds: Sequence[str] = (),
    sources: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    now: datetime,
) -> Found:
    """Documents that speak of what is asked, the best first, one for each story.

    Args:
        query: Words, "phrases", -words, `source:`, `kind:`, `after:`, `before:`; see `parse_query`. With conditions
            only, the newest that fit.
        limit: At most so many, 1 to 500.
        kinds: Kinds of source; empty: all.
        sources: Names of sources, or owners of channels; empty: all.
        since: From this day on, in the workspace's zone.
        until: Up to this day, which is in.
    Raises:
        BadInput: Nothing is asked, or a condition cannot be read.
        NotFound: No such source or owner.
    """
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit {limit}: expected 1 to {MOST}")
    asked = parse_query(query)
    chosen = (*(kind_of(kind) for kind in kinds), *asked.kinds)
    named = _named(ws, (*sources, *asked.sources))
    begin, end = _between(ws, asked, since, until)
    conditions: dict[str, Any] = {"kinds": chosen, "sources": named, "since": begin, "until": end}
    limited = bool(chosen or named or begin or end)
    if not (asked.words or asked.phrases or asked.without or limited):
        raise BadInput(
            "nothing to look for; write a word, a phrase in quotes, or a condition such as kind:law"
        )

    indexed = update_index(ws, most_words=_WORDS_NOW, most_vectors=_VECTORS_NOW)
    with ws.database.read() as connection:
        fits = rows.fitting(connection, **conditions) if limited else None
        searched = len(fits) if fits is not None else count_documents(connection)
    lists: dict[str, list[str]] = {}
    why_not = "not-yet" if indexed.left else ""
    if asked.words or asked.phrases:
        by_words, by_meaning = _by_words(ws, asked, fits, limit), _by_meaning(ws, asked, fits, limit)
        ranked = fused(by_words, by_meaning, length=len(tokens(asked.meaning)))
        lists = {"words": [name for name, _ in by_words], "meaning": by_meaning}
    else:
        with ws.database.read() as connection:
            listed = rows.newest(connection, limit=limit * _LONG + 100 * bool(asked.without), **conditions)
        if asked.without:
            listed = _without(ws, asked, listed)
        ranked = [(name, 0.0) for name in listed]
        why_not = ""
    hits = _hits(ws, asked, ranked, lists, fits, limit)
    return Found(query=query, hits=hits, searched=searched, why_not=why_not)


def _named(ws: Workspace, wanted: Sequence[str]) -> tuple[str, ...]:
    if not wanted:
        return ()
    with ws.database.read() as connection:
        brought, owners = rows.names(connection)
        # What was declared and has brought nothing yet is no mistake: nothing is found there.
        sources = brought | set(load_states(connection))
    known = {name.casefold(): name for name in (*owners, *sources)}
    found: list[str] = []
    for name in wanted:
        if name.casefold() not in known:
            there = ", ".join(sorted(sources)[:20]) or "none has brought anything yet"
            raise NotFound(f"source {name!r}: expected one of the sources that brought documents ({there})")
        found.append(known[name.casefold()])
    return tuple(found)


def _between(
    ws: Workspace, asked: Asked, since: date | None, until: date | None
) -> tuple[datetime | None, datetime | None]:
    """From when on, and before when."""
    first = max(filter(None, (since, asked.since)), default=None)
    last = min(filter(None, (until, asked.until)), default=None)
    zone = ws.config.zone
    begin = None if first is None else datetime.combine(first, time.min, zone)
    if last is None or last >= date.max:
        return begin, None
    return begin, datetime.combine(last + timedelta(days=1), time.min, zone)


def _by_words(
    ws: Workspace, asked: Asked, fits: list[tuple[int, str, str]] | None, limit: int
) -> list[tuple[str, float]]:
    """(id, share of the question that it covers), the best first."""
    among = None if fits is None else [number for number, _, _ in fits]
    most = max(_ENOUGH, 2 * limit)
    try:
        return word_index(ws).search(
            asked.words, asked.phrases, without=asked.without, limit=most, among=among
        )
    except sqlite3.DatabaseError:
        # Deleted or damaged under our hands: the next update begins it anew.
        return []


def _by_meaning(
    ws: Workspace, asked: Asked, fits: list[tuple[int, str, str]] | None, limit: int
) -> list[str]:
    """Documents whose beginning means about what is asked, the nearest first."""
    kept = vector_file(ws).rows()
    if not len(kept):
        return []
    score = cosines(kept, encode([asked.meaning])[0], around=middle(kept))
    ids = kept["id"]
    if fits is not None:
        # A copy is found through the story that it tells.
        allowed = {number_of(name) for _, one, story in fits for name in (one, story)}
        score = np.where(np.isin(ids, np.fromiter(allowed, dtype=np.uint64, count=len(allowed))), score, -1.0)
    most = min(len(score), max(_ENOUGH, 2 * limit) * (4 if asked.phrases or asked.without else 1))
    best = np.argpartition(-score, most - 1)[:most]
    best = best[np.argsort(-score[best], kind="stable")]
    best = best[score[best] >= max(NEAR, NEAR_THE_BEST * float(score[best[0]]))]
    # Of a text that was read anew the last vector counts.
    newest = dict(zip(*(part.tolist() for part in _last_rows(ids, ids[best])), strict=True))
    found = [identity_of(int(ids[at])) for at in best if newest[int(ids[at])] == at]
    if asked.phrases:
        holding = word_index(ws).holding(asked.phrases, among=found)
        found = [name for name in found if name in holding]
    return _without(ws, asked, found)


def _last_rows(ids: Any, wanted: Any) -> tuple[Any, Any]:
    places = np.flatnonzero(np.isin(ids, wanted))
    order = {int(ids[place]): int(place) for place in places}
    return np.array(list(order), dtype=np.uint64), np.array(list(order.values()), dtype=np.int64)


def _without(ws: Workspace, asked: Asked, found: list[str]) -> list[str]:
    if not asked.without:
        return found
    refused: set[str] = set()
    for part in asked.without:
        refused |= word_index(ws).holding((part,), among=found)
    return [name for name in found if name not in refused]


def _hits(
    ws: Workspace,
    asked: Asked,
    ranked: Sequence[tuple[str, float]],
    lists: dict[str, list[str]],
    fits: list[tuple[int, str, str]] | None,
    limit: int,
) -> tuple[Hit, ...]:
    wanted = [name for name, _ in ranked[: limit * _LONG]]
    with ws.database.read() as connection:
        there = {one.document.id: one for one in load_numbered(connection, wanted)}
        stories = list(dict.fromkeys(there[name].story for name in wanted if name in there))[:limit]
        members = members_of(connection, stories)
    allowed = None if fits is None else {name for _, name, _ in fits}
    forms = searched_forms(asked)
    found_by = {code: set(names) for code, names in lists.items()}
    hits: dict[str, Hit] = {}
    for name, score in ranked[: limit * _LONG]:
        one = there.get(name)
        if one is None or one.story in hits or one.story not in members:
            continue
        shown = _shown(one, members[one.story], allowed)
        if shown is None:
            continue
        told = {other.document.id for other in members[one.story]}
        by: tuple[Literal["words", "meaning"], ...] = tuple(
            code for code in _WAYS if found_by.get(code, set()) & told
        )
        document = shown.document
        hits[one.story] = Hit(
            document=document,
            score=score,
            by=by,
            snippet=snippet(document.text or document.title, forms),
            copies=len(told) - 1,
        )
        if len(hits) == limit:
            break
    return tuple(hits.values())


def _shown(one: Numbered, members: Sequence[Numbered], allowed: set[str] | None) -> Numbered | None:
    """The document itself, or the first telling of its story that fits the conditions."""
    if allowed is None or one.document.id in allowed:
        return one
    return next((other for other in members if other.document.id in allowed), None)
