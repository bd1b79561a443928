"""What customers said, by time: documents of some kinds of source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from primeta.sources.records import Document
from primeta.store.documents import document_of
from primeta.store.schema import documents
from primeta.store.times import naive


def documents_said(
    connection: Connection, kinds: Sequence[str], *, since: datetime, until: datetime, most: int
) -> tuple[Document, ...]:
    """Documents whose time is since … until (exclusive), in its order; the latest `most`."""
    query = (
        select(documents)
        .where(
            documents.c.kind.in_(list(kinds)),
            documents.c.at >= naive(since),
            documents.c.at < naive(until),
        )
        .order_by(documents.c.at.desc(), documents.c.id.desc())
        .limit(most)
    )
    return tuple(document_of(row) for row in connection.execute(query).mappings())[::-1]
