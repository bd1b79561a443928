"""Queries of searching and of the reading list: which documents fit, in what order, what people did with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    and_,
    case,
    cast,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from primeta.store.documents import Numbered, document_of
from primeta.store.schema import document_marks, documents, topic_documents
from primeta.store.times import naive

HALVES_IN_DAYS = 3.0
"""A story is worth half as much after so many days: twice the trust makes up for three days of age."""
_LEAST_TRUST = 0.02


def _fits(
    *,
    sources: Sequence[str] = (),
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sources:
        found.append(or_(documents.c.source.in_(list(sources)), documents.c.owner.in_(list(sources))))
    if kinds:
        found.append(documents.c.kind.in_(list(kinds)))
    if since is not None:
        found.append(documents.c.at >= naive(since))
    if until is not None:
        found.append(documents.c.at < naive(until))
    return found


def fitting(
    connection: Connection,
    *,
    sources: Sequence[str] = (),
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[tuple[int, str, str]]:
    """(number, id, story) of the documents that fit, in no order.

    Args:
        sources: Names of sources, or owners.
        until: Not in.
    """
    query = select(documents.c.number, documents.c.id, documents.c.story)
    fits = _fits(sources=sources, kinds=kinds, since=since, until=until)
    return [(row[0], row[1], row[2]) for row in connection.execute(query.where(*fits))]


def newest(
    connection: Connection,
    *,
    limit: int,
    sources: Sequence[str] = (),
    kinds: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[str]:
    """Ids of the newest documents that fit."""
    fits = _fits(sources=sources, kinds=kinds, since=since, until=until)
    query = select(documents.c.id).where(*fits).order_by(documents.c.at.desc(), documents.c.number.desc())
    return [row[0] for row in connection.execute(query.limit(limit))]


def names(connection: Connection) -> tuple[set[str], set[str]]:
    """Sources that documents came from, and owners who speak in them."""
    sources = {row[0] for row in connection.execute(select(documents.c.source).distinct())}
    return sources, {row[0] for row in connection.execute(select(documents.c.owner).distinct())}


def _days(connection: Connection) -> ColumnElement[float]:
    """`at` as a number of days, on either database."""
    if connection.dialect.name == "sqlite":
        return func.julianday(documents.c.at, type_=Float)
    return cast(extract("epoch", documents.c.at), Float) / 86_400.0


def _stories(
    *,
    kinds: Sequence[str],
    sources: Sequence[str],
    marks: Sequence[str],
    topic: str,
    among: Sequence[str] | None,
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [documents.c.story == documents.c.id]
    if kinds or sources:
        told = documents.alias("told")
        member = select(told.c.story).where(
            *([told.c.kind.in_(list(kinds))] if kinds else []),
            *([or_(told.c.source.in_(list(sources)), told.c.owner.in_(list(sources)))] if sources else []),
        )
        found.append(documents.c.id.in_(member))
    if topic:
        told = documents.alias("of_topic")
        member = select(told.c.story).join(topic_documents, topic_documents.c.document == told.c.id)
        found.append(documents.c.id.in_(member.where(topic_documents.c.topic == topic)))
    if among is not None:
        found.append(documents.c.id.in_(list(among)))
    found.append(_mark().in_(list(marks)))
    return found


def _mark() -> ColumnElement[str]:
    return func.coalesce(document_marks.c.mark, "unread")


def _from(query: Any) -> Any:
    return query.select_from(documents.outerjoin(document_marks, document_marks.c.document == documents.c.id))


def count_stories(
    connection: Connection,
    *,
    kinds: Sequence[str],
    sources: Sequence[str],
    marks: Sequence[str],
    topic: str,
    among: Sequence[str] | None,
) -> tuple[int, int]:
    """How many stories fit, and how many of them nobody has read."""
    fits = _stories(kinds=kinds, sources=sources, marks=marks, topic=topic, among=among)
    unread = func.sum(case((_mark() == "unread", 1), else_=0))
    row: Any = connection.execute(_from(select(func.count(), unread)).where(and_(*fits))).one()
    return int(row[0]), int(row[1] or 0)


def list_stories(
    connection: Connection,
    *,
    kinds: Sequence[str],
    sources: Sequence[str],
    marks: Sequence[str],
    topic: str,
    among: Sequence[str] | None,
    trust: Mapping[str, float],
    limit: int,
    offset: int,
) -> list[tuple[Numbered, str, str]]:
    """(story's first document, mark, note), unread first, then by trust and recency.

    The order is that of trust × ½^(age / 3 days); in logarithms age and trust are added, so it does not depend on the
    time at which somebody looks.

    Args:
        among: Only these stories; None: all.
        trust: By source; a source that is not declared any more has 0.5.
    """
    fits = _stories(kinds=kinds, sources=sources, marks=marks, topic=topic, among=among)
    days = {name: HALVES_IN_DAYS * math.log2(max(_LEAST_TRUST, value)) for name, value in trust.items()}
    usual = HALVES_IN_DAYS * math.log2(0.5)
    bonus = (
        case(*((documents.c.source == name, value) for name, value in days.items()), else_=usual)
        if days
        else literal(usual)
    )
    # The order is found over numbers alone: whole texts would be carried through the sorting.
    ordered = _from(
        select(
            documents.c.number,
            _mark().label("mark_"),
            func.coalesce(document_marks.c.note, "").label("note_"),
        )
    )
    ordered = ordered.where(and_(*fits)).order_by(
        case((_mark() == "unread", 0), else_=1), (_days(connection) + bonus).desc(), documents.c.number.desc()
    )
    found: Any = connection.execute(ordered.limit(limit).offset(offset))
    listed = [(int(number), str(mark), str(note)) for number, mark, note in found]
    wanted = select(documents).where(documents.c.number.in_([number for number, _, _ in listed]))
    there = {
        int(row["number"]): Numbered(
            number=row["number"], document=document_of(row), story=row["story"], why=row["why"]
        )
        for row in connection.execute(wanted).mappings()
    }
    return [(there[number], mark, note) for number, mark, note in listed]


def topics_of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Document → ids of the topics that it speaks of."""
    found: dict[str, list[str]] = {}
    query = select(topic_documents.c.document, topic_documents.c.topic).where(
        topic_documents.c.document.in_(list(ids))
    )
    for document, topic in connection.execute(query.order_by(topic_documents.c.topic)):
        found.setdefault(document, []).append(topic)
    return {document: tuple(there) for document, there in found.items()}


def load_mark(connection: Connection, document: str) -> tuple[str, str]:
    """Mark and note of a story; ("unread", "") where nobody did anything with it."""
    query = select(document_marks.c.mark, document_marks.c.note).where(document_marks.c.document == document)
    row = connection.execute(query).first()
    return (row[0], row[1]) if row else ("unread", "")


def save_mark(
    connection: Connection, document: str, *, mark: str, by: str, at: datetime, note: str | None = None
) -> None:
    """Write what was done with a story; `note` None leaves the one that is there."""
    values: dict[str, Any] = {"mark": mark, "by": by, "at": naive(at)}
    if note is not None:
        values["note"] = note
    where = document_marks.c.document == document
    if not connection.execute(update(document_marks).where(where).values(values)).rowcount:
        connection.execute(insert(document_marks).values({"document": document, "note": "", **values}))
