"""Topics as pages, the terminal and JSON read them: how each stands, its signals, its trend, what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from primeta.errors import NotFound
from primeta.signals.signal import Grade
from primeta.signals.texts.records import Topic
from primeta.store import documents as document_rows
from primeta.store import topics as rows
from primeta.store.signals import load_signals
from primeta.trends.evidence import STRENGTH
from primeta.workspace.texts_views import TopicView

if TYPE_CHECKING:
    from primeta.sources.records import Document
    from primeta.workspace.workspace import Workspace

SHOWN_DOCUMENTS = 100


def topics(ws: Workspace, *, now: datetime) -> tuple[TopicView, ...]:
    """All topics, the strongest first; without their documents (`topic` reads those of one)."""
    with ws.database.read() as connection:
        found = rows.load_topics(connection)
    return _views(ws, sorted(found, key=_order), {})


def topic(ws: Workspace, identity: str) -> TopicView:
    """One topic with its newest documents, stories before their copies.

    Raises:
        NotFound: no such topic.
    """
    with ws.database.read() as connection:
        found = rows.load_topics(connection, identity)
        if not found:
            raise NotFound(
                f"there is no topic {identity!r}; `primeta signals {ws.folder}` lists what was found"
            )
        ids = rows.load_topic_documents(connection, identity).get(identity, ())
        numbered = document_rows.load_numbered(connection, ids)
    told = sorted(
        numbered,
        key=lambda entry: (
            entry.story == entry.document.id,
            entry.document.published_at or entry.document.seen_at,
        ),
        reverse=True,
    )
    documents = tuple(entry.document for entry in told[:SHOWN_DOCUMENTS])
    return _views(ws, found, {identity: documents})[0]


def _order(topic: Topic) -> tuple[int, float, str]:
    return -STRENGTH[topic.grade], -topic.e_value, topic.id


def _views(
    ws: Workspace, found: Sequence[Topic], documents: Mapping[str, tuple[Document, ...]]
) -> tuple[TopicView, ...]:
    with ws.database.read() as connection:
        signals = [entry for entry in load_signals(connection) if entry.topic]
    trends = {signal: trend for trend in ws.trends() for signal in trend.signals}
    views = []
    for topic in found:
        own = tuple(entry.id for entry in signals if entry.topic == topic.id)
        trend = next((trends[name] for name in own if name in trends), None)
        views.append(
            TopicView(
                topic=topic,
                signals=own,
                trend=trend.id if trend else "",
                trend_name=trend.card.name if trend else "",
                documents=documents.get(topic.id, ()),
            )
        )
    return tuple(views)


def moved_topics(ws: Workspace, *, after: datetime) -> dict[str, tuple[Grade | None, Grade]]:
    """Topic → (grade before, grade now) of those one of whose signals moved since; the furthest move of its sides."""
    from primeta.store.signals import load_moves

    with ws.database.read() as connection:
        moves = load_moves(connection, after=after)
        topic_of = {entry.id: entry.topic for entry in load_signals(connection) if entry.topic}
    found: dict[str, tuple[Grade | None, Grade]] = {}
    for move in moves:
        name = topic_of.get(move.signal_id)
        if name is None:
            continue
        known = found.get(name)
        if known is None or STRENGTH[move.now] > STRENGTH[known[1]]:
            found[name] = (move.was, move.now)
    return found
