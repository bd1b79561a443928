"""The workspace's own voices (tickets, reviews, NPS, interviews) as documents, in batches, through the warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Any

from primeta.errors import PrimetaError
from primeta.facts import Provenance
from primeta.sources.feed import AHEAD, declared_language
from primeta.sources.html_text import tidy
from primeta.sources.identity import document_id
from primeta.sources.links import canonical_link
from primeta.sources.records import Brought, Document, Source, SourceKind, Trouble
from primeta.sources.table import LONGEST_TEXT
from primeta.sources.table_values import number_of, text_of

if TYPE_CHECKING:
    from primeta.config import Config
    from primeta.warehouse.engine import Warehouse

BATCH = 20_000
AT_ONCE = 50_000
"""Voices that one call of `read_voices` gives."""
READ_AGAIN = timedelta(days=35)
"""Exports of the last weeks grow late, as the other facts do."""
KIND_OF: Mapping[str, SourceKind] = {
    "ticket": "support", "tickets": "support", "support": "support", "chat": "support", "call": "support",
    "тикет": "support", "обращение": "support", "чат": "support", "звонок": "support",
    "review": "reviews", "reviews": "reviews", "отзыв": "reviews",
    "nps": "nps", "survey": "nps", "опрос": "nps",
    "interview": "interviews", "interviews": "interviews", "интервью": "interviews",
    "focus group": "focus_group", "focus_group": "focus_group", "фокус группа": "focus_group",
}  # fmt: skip
"""What a voice came by → its kind; any other word is the kind of the source."""

_COLUMNS = ("voice_id", "said_at", "source", "text", "customer_id", "score", "language", "url")


def read_voices(
    config: Config,
    *,
    source: Source,
    position: Mapping[str, object] | None = None,
    seen_at: datetime,
    most: int = AT_ONCE,
) -> Brought:
    """The next voices that the workspace maps, from where reading stopped; the last 35 days are read again.

    Args:
        position: Of the answer before: `said_at`, `skip` (voices of this round that were read), `more` where some
            are left.
    Returns:
        `no-voices` in `troubles` where the workspace maps none, `bad-table` where they cannot be read.
    """
    from primeta.warehouse.engine import open_warehouse

    place = dict(position or {})
    going_on = bool(place.get("more"))
    said = str(place.get("from" if going_on else "said_at", ""))
    latest = str(place.get("said_at", ""))
    since = datetime.fromisoformat(said) if said else None
    if since is not None and not going_on:
        since -= READ_AGAIN
    skip = int(str(place.get("skip", 0))) if going_on else 0
    try:
        with open_warehouse(config) as warehouse:
            if "voices" not in warehouse.tables():
                return Brought(troubles=(Trouble(code="no-voices", permanent=True),))
            rows = list(_of_warehouse(warehouse, since, BATCH, skip=skip, most=most))
    except PrimetaError as error:
        return Brought(
            troubles=(
                Trouble(code="bad-table", values={"reason": "reading", "why": str(error)}, permanent=True),
            ),
            position=place,
        )
    parts = list(voices_documents(rows, source=source, since=since, seen_at=seen_at, batch=max(1, most)))
    part = parts[0] if parts else Brought()
    latest = max(latest, str(part.position.get("said_at", "")))
    ahead: dict[str, object] = {"said_at": latest} if latest else {}
    if len(rows) == most:
        ahead |= {"more": True, "skip": skip + most, "from": since.isoformat() if since is not None else ""}
    return Brought(documents=part.documents, troubles=part.troubles, position=ahead)


def voices_documents(
    rows: Warehouse | Iterable[Mapping[str, Any]],
    *,
    source: Source,
    since: datetime | None = None,
    seen_at: datetime,
    batch: int = BATCH,
) -> Iterator[Brought]:
    """Voices as documents, a batch at a time, by time.

    Args:
        rows: An open warehouse with the table `voices`, or its rows (canonical columns; a time without a zone is UTC).
        since: Only what was said from then on; aware.
        seen_at: Aware; what was said later than two days after it has no date.
    Yields:
        Documents, and under `position` `{"said_at": …}`, the latest time so far: the next reading may begin a few
        weeks before it. `without-text`, `future-date` in `troubles`. Nothing where the workspace maps no voices.
    Raises:
        BadTable: the mapping lacks a required column.
    """
    from primeta.warehouse.engine import Warehouse as Open

    each: Iterator[Mapping[str, Any]]
    each = _of_warehouse(rows, since, batch) if isinstance(rows, Open) else iter(rows)
    latest: datetime | None = None
    provenance = Provenance(source="voices", seen_until=seen_at, code_version=version("primeta"))
    while part := list(islice(each, batch)):
        counts: Counter[str] = Counter()
        documents: dict[str, Document] = {}
        for row in part:
            document = _document(row, source, since, seen_at, counts, provenance)
            if document is None:
                continue
            documents[document.id] = document
            if document.published_at is not None and (latest is None or document.published_at > latest):
                latest = document.published_at
        yield Brought(
            documents=tuple(documents.values()),
            troubles=tuple(
                Trouble(code=code, values={"entries": number, "rows": len(part)})
                for code, number in sorted(counts.items())
            ),
            position={"said_at": latest.isoformat().replace("+00:00", "Z")} if latest is not None else {},
        )


def _of_warehouse(
    warehouse: Warehouse, since: datetime | None, batch: int, *, skip: int = 0, most: int = 0
) -> Iterator[Mapping[str, Any]]:
    from primeta.warehouse.duck import named, plain_errors, quoted

    if "voices" not in warehouse.tables():
        return
    view = warehouse.clean("voices")
    where = ""
    if since is not None:
        # Times of the facts are UTC without a zone.
        where = f" WHERE said_at >= CAST({quoted(since.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S'))} AS TIMESTAMP)"
    cut = f" LIMIT {int(most)} OFFSET {int(skip)}" if most else ""
    listed = ", ".join(named(name) for name in _COLUMNS)
    with plain_errors("reading voices"):
        # A cursor of its own: who takes the batches may ask the warehouse other things between them.
        cursor = warehouse.connection.cursor()
        try:
            answer = cursor.execute(f"SELECT {listed} FROM {view}{where} ORDER BY said_at, voice_id{cut}")
            while rows := answer.fetchmany(batch):
                for row in rows:
                    yield dict(zip(_COLUMNS, row, strict=True))
        finally:
            cursor.close()


def kind_of(written: str, *, otherwise: SourceKind) -> SourceKind:
    """The kind that a word of `voices.source` stands for."""
    word = " ".join(written.casefold().replace("_", " ").replace("-", " ").split())
    return KIND_OF.get(word, otherwise)


def _document(
    row: Mapping[str, Any],
    source: Source,
    since: datetime | None,
    seen_at: datetime,
    counts: Counter[str],
    provenance: Provenance,
) -> Document | None:
    text = tidy(text_of(row.get("text")))[:LONGEST_TEXT]
    if not any(letter.isalnum() for letter in text):
        counts["without-text"] += 1
        return None
    said = row.get("said_at")
    said = (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC) if said is not None else None
    if since is not None and said is not None and said < since:
        return None
    if said is not None and said > seen_at + AHEAD:
        counts["future-date"] += 1
        said = None
    came_by = text_of(row.get("source"))
    customer = text_of(row.get("customer_id"))
    return Document(
        id=document_id(source.name, text_of(row.get("voice_id")) or f"{said}\0{customer}\0{text}"),
        source=source.name,
        owner=source.owner,
        kind=kind_of(came_by, otherwise=source.kind),
        published_at=said,
        seen_at=seen_at,
        title="",
        text=text,
        url=canonical_link(text_of(row.get("url"))),
        language=source.language or declared_language(text_of(row.get("language")), text),
        customer_id=customer,
        score=number_of(row.get("score")),
        attributes={"came_by": came_by} if came_by else {},
        provenance=provenance,
    )
