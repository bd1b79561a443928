"""What sources brought, as documents: written once under their id, read in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, case, func, insert, select, update

from primeta.sources.records import Document
from primeta.store.erased import erased_among
from primeta.store.keys import load_keys
from primeta.store.schema import documents
from primeta.store.times import aware, naive

MANY = 500
"""Ids asked for in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A document with its place in the order of arrival and the story that it tells."""

    number: int
    document: Document
    story: str
    """Id of the document that told it first."""
    why: str
    """Why it is a copy of that; empty for the first itself."""


def save_documents(
    connection: Connection,
    found: Sequence[Document],
    *,
    stories: Mapping[str, tuple[str, str]],
) -> int:
    """Write new documents and renew known ones; how many were new.

    A known document keeps its number and the time at which it was first seen.

    Args:
        found: Each id once.
        stories: Document → (story, why): of these and of known ones that go to another story now.
    """
    found = not_erased(connection, found)
    known = known_ids(connection, [one.id for one in found])
    fresh = [
        {
            **_values(one),
            "story": stories.get(one.id, (one.id, ""))[0],
            "why": stories.get(one.id, ("", ""))[1],
        }
        for one in found
        if one.id not in known
    ]
    if fresh:
        connection.execute(insert(documents), fresh)
    # What was emptied for its age is not filled again.
    emptied = {
        row.id
        for row in _by(
            connection, select(documents.c.id, documents.c.attributes), documents.c.id, sorted(known)
        )
        if row.attributes.get("emptied") == "retention"
    }
    changed = [{**_values(one), "id_": one.id} for one in found if one.id in known and one.id not in emptied]
    if changed:
        kept = ("id", "seen_at")
        columns = [name for name in changed[0] if name not in (*kept, "id_")]
        renew = update(documents).where(documents.c.id == bindparam("id_"))
        renew = renew.values({name: bindparam(f"new_{name}") for name in columns})
        connection.execute(
            renew, [{"id_": row["id_"], **{f"new_{name}": row[name] for name in columns}} for row in changed]
        )
    new = {row["id"] for row in fresh}
    move_stories(connection, {name: told for name, told in stories.items() if name not in new})
    return len(fresh)


def not_erased(connection: Connection, found: Sequence[Document]) -> Sequence[Document]:
    """Without what customers said who were erased since, and have not consented anew before they said it."""
    keys = load_keys(connection)
    if keys is None:
        return found
    erased = erased_among(connection, {one.customer_id for one in found} - {""}, keys=keys)
    return [
        one
        for one in found
        if (his := erased.get(one.customer_id)) is None or (his.lifted and _when(one) > his.since)
    ]


def move_stories(connection: Connection, stories: Mapping[str, tuple[str, str]]) -> None:
    """Write which story documents tell."""
    rows = [{"id_": name, "new_story": story, "new_why": why} for name, (story, why) in stories.items()]
    if rows:
        move = update(documents).where(documents.c.id == bindparam("id_"))
        connection.execute(move.values(story=bindparam("new_story"), why=bindparam("new_why")), rows)


def known_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Which of these are written already."""
    return {row.id for row in _by(connection, select(documents.c.id), documents.c.id, ids)}


def load_documents(connection: Connection, ids: Sequence[str]) -> tuple[Document, ...]:
    """Documents in the order of `ids`; unknown ids are left out."""
    found = {entry.document.id: entry.document for entry in load_numbered(connection, ids)}
    return tuple(found[name] for name in ids if name in found)


def load_numbered(connection: Connection, ids: Sequence[str]) -> tuple[Numbered, ...]:
    """Documents with number and story, in the order of arrival."""
    rows = _by(connection, select(documents), documents.c.id, ids)
    return tuple(sorted((_numbered(row._mapping) for row in rows), key=lambda entry: entry.number))


def documents_numbered(connection: Connection, numbers: Sequence[int]) -> tuple[Numbered, ...]:
    """Documents by their numbers, in the order of arrival."""
    rows = _by(connection, select(documents), documents.c.number, numbers)
    return tuple(sorted((_numbered(row._mapping) for row in rows), key=lambda entry: entry.number))


def documents_after(connection: Connection, number: int, limit: int) -> tuple[Numbered, ...]:
    """The next documents in the order of arrival, behind `number` (0: from the first), at most `limit`."""
    query = select(documents).where(documents.c.number > number).order_by(documents.c.number).limit(limit)
    return tuple(_numbered(row) for row in connection.execute(query).mappings())


def members_of(connection: Connection, stories: Sequence[str]) -> dict[str, tuple[Numbered, ...]]:
    """Story → the documents that tell it, by time, the first one first."""
    found: dict[str, list[Numbered]] = {}
    for row in _by(connection, select(documents), documents.c.story, stories):
        found.setdefault(row.story, []).append(_numbered(row._mapping))
    return {
        story: tuple(sorted(there, key=lambda entry: (entry.document.id != story, _when(entry.document))))
        for story, there in found.items()
    }


def count_documents(connection: Connection, source: str = "") -> int:
    """How many there are, of one source or of all."""
    query = select(func.count()).select_from(documents)
    return int(connection.scalar(query.where(documents.c.source == source) if source else query) or 0)


def count_up_to(connection: Connection, number: int) -> int:
    """How many arrived up to a number."""
    query = select(func.count()).select_from(documents).where(documents.c.number <= number)
    return int(connection.scalar(query) or 0)


def ids_after(connection: Connection, number: int) -> tuple[tuple[int, str], ...]:
    """(number, id) of all that arrived behind `number`, in order."""
    query = select(documents.c.number, documents.c.id).where(documents.c.number > number)
    return tuple((row.number, row.id) for row in connection.execute(query.order_by(documents.c.number)))


def stories_of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Document → (story, why) as it is written."""
    query = select(documents.c.id, documents.c.story, documents.c.why)
    return {row.id: (row.story, row.why) for row in _by(connection, query, documents.c.id, ids)}


def last_number(connection: Connection) -> int:
    """The number of the newest arrival; 0 where there is none."""
    return int(connection.scalar(select(func.max(documents.c.number))) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many documents a source brought."""

    documents: int
    stories: int
    """Those that it told first."""
    newest: datetime | None


def tallies(connection: Connection) -> dict[str, Tally]:
    """Source → its tally."""
    query = select(documents.c.source, documents.c.why, func.count(), func.max(documents.c.at))
    found: dict[str, Tally] = {}
    for source, why, number, newest in connection.execute(
        query.group_by(documents.c.source, documents.c.why)
    ):
        before = found.get(source, Tally(documents=0, stories=0, newest=None))
        last = aware(newest)
        found[source] = Tally(
            documents=before.documents + number,
            stories=before.stories + (0 if why else number),
            newest=last if before.newest is None else max(before.newest, last),
        )
    return found


def counts_since(connection: Connection, edges: Sequence[datetime]) -> dict[str, tuple[int, ...]]:
    """Source → its documents between each two neighbouring edges, (n − 1,); the last edge itself is in."""
    at = documents.c.at
    weeks = [
        func.sum(case((and_(at > naive(begin), at <= naive(end)), 1), else_=0))
        for begin, end in pairwise(edges)
    ]
    query = select(documents.c.source, *weeks).where(at > naive(edges[0])).group_by(documents.c.source)
    return {source: tuple(map(int, counted)) for source, *counted in connection.execute(query)}


def rename_owner(connection: Connection, source: str, *, was: str, owner: str) -> None:
    """Documents that a source's declared owner said are those of the newly declared one."""
    connection.execute(
        update(documents).where(documents.c.source == source, documents.c.owner == was).values(owner=owner)
    )


def change_kind(connection: Connection, source: str, *, was: str, kind: str) -> None:
    """Documents of a source's declared kind are of the newly declared one."""
    connection.execute(
        update(documents).where(documents.c.source == source, documents.c.kind == was).values(kind=kind)
    )


def _by(connection: Connection, query: Any, column: Any, wanted: Sequence[Any]) -> Iterator[Any]:
    for start in range(0, len(wanted), MANY):
        yield from connection.execute(query.where(column.in_(list(wanted[start : start + MANY]))))


def _when(document: Document) -> datetime:
    return document.published_at or document.seen_at


def _values(one: Document) -> dict[str, Any]:
    return {
        "id": one.id,
        "source": one.source,
        "owner": one.owner,
        "kind": one.kind,
        "published_at": None if one.published_at is None else naive(one.published_at),
        "at": naive(_when(one)),
        "seen_at": naive(one.seen_at),
        "title": _clean(one.title),
        "text": _clean(one.text),
        "url": _clean(one.url),
        "author": _clean(one.author),
        "language": one.language,
        "links": [_clean(link) for link in one.links],
        "forwarded_from": _clean(one.forwarded_from),
        "customer_id": _clean(one.customer_id),
        "score": one.score,
        "attributes": {_clean(name): _clean(value) for name, value in one.attributes.items()},
        "raw": one.raw,
    }


def _clean(text: str) -> str:
    """What every database takes: PostgreSQL refuses the null character, UTF-8 refuses lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _numbered(row: RowMapping) -> Numbered:
    return Numbered(number=row["number"], document=document_of(row), story=row["story"], why=row["why"])


def document_of(row: Mapping[str, Any] | RowMapping) -> Document:
    """The document of a row."""
    published = row["published_at"]
    return Document(
        id=row["id"],
        source=row["source"],
        owner=row["owner"],
        kind=row["kind"],
        published_at=None if published is None else aware(published),
        seen_at=aware(row["seen_at"]),
        title=row["title"],
        text=row["text"],
        url=row["url"],
        author=row["author"],
        language=row["language"],
        links=tuple(row["links"]),
        forwarded_from=row["forwarded_from"],
        customer_id=row["customer_id"],
        score=row["score"],
        attributes=dict(row["attributes"]),
        raw=row["raw"],
    )


def distinct(found: Iterable[Document]) -> tuple[Document, ...]:
    """Each id once: the last reading of it, at its first place."""
    return tuple({one.id: one for one in found}.values())
