"""Topics: what was frozen when each was first seen, how it stands, and the documents that speak of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, insert, select, update

from primeta.signals.texts.records import FrozenTopic, Topic
from primeta.store.codec import from_json, to_json
from primeta.store.schema import topic_documents, topics
from primeta.store.times import naive

MANY = 500
"""Ids asked for in one query."""


def load_frozen_topics(connection: Connection) -> dict[str, FrozenTopic]:
    """First sights by topic, the oldest first."""
    query = select(topics.c.id, topics.c.frozen).order_by(topics.c.promise_start, topics.c.id)
    return {row.id: from_json(FrozenTopic, row.frozen) for row in connection.execute(query)}


def load_topics(connection: Connection, topic: str | None = None) -> tuple[Topic, ...]:
    """All topics (or one) as the last watch saw them, by id."""
    query = select(topics.c.topic).order_by(topics.c.id)
    if topic is not None:
        query = query.where(topics.c.id == topic)
    return tuple(from_json(Topic, row.topic) for row in connection.execute(query))


def load_topic_documents(connection: Connection, topic: str | None = None) -> dict[str, tuple[str, ...]]:
    """Topic → ids of the documents that speak of it."""
    query = select(topic_documents).order_by(topic_documents.c.topic, topic_documents.c.document)
    if topic is not None:
        query = query.where(topic_documents.c.topic == topic)
    found: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.topic].append(row.document)
    return {name: tuple(documents) for name, documents in found.items()}


def save_topics(
    connection: Connection,
    found: Mapping[str, tuple[FrozenTopic, Topic]],
    documents: Mapping[str, Collection[str]],
    *,
    promise_start: date,
    seen_until: datetime,
) -> tuple[str, ...]:
    """Write new topics and how known ones stand; what was frozen at first sight is never written again.

    Args:
        documents: Topic → all documents that speak of it now; the rows follow them both ways.
    Returns:
        Ids of the topics that are new.
    """
    known = set(connection.scalars(select(topics.c.id)))
    fresh = []
    for name, (frozen, topic) in found.items():
        values = {"topic": to_json(topic), "grade": topic.grade, "seen_until": naive(seen_until)}
        if name in known:
            connection.execute(update(topics).where(topics.c.id == name).values(values))
        else:
            fresh.append(name)
            connection.execute(
                insert(topics).values(id=name, promise_start=promise_start, frozen=to_json(frozen), **values)
            )
    there = load_topic_documents(connection)
    for name, wanted in documents.items():
        _save_documents(connection, name, set(there.get(name, ())), set(wanted))
    return tuple(fresh)


def _save_documents(connection: Connection, topic: str, there: set[str], wanted: set[str]) -> None:
    gone = sorted(there - wanted)
    for start in range(0, len(gone), MANY):
        part = topic_documents.c.document.in_(gone[start : start + MANY])
        connection.execute(topic_documents.delete().where(topic_documents.c.topic == topic, part))
    rows = [{"topic": topic, "document": name} for name in sorted(wanted - there)]
    if rows:
        connection.execute(insert(topic_documents), rows)
