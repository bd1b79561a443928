"""The reading list: stories that sources brought, copies folded; what people did with them; a note of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, get_args

from primeta.errors import BadInput, NotFound
from primeta.signals.note import Note
from primeta.signals.signal import Direction
from primeta.signals.texts.boilerplate import sentences
from primeta.signals.texts.search import kind_of
from primeta.sources.records import GROUP_OF, Document
from primeta.store import reading as rows
from primeta.store.documents import Numbered, load_documents, load_numbered, members_of
from primeta.store.sources import load_states
from primeta.workspace import people
from primeta.workspace.texts_views import Copied, Mark, Reading, ReadingItem

if TYPE_CHECKING:
    from primeta.workspace.workspace import Workspace

PER_PAGE = 20
NOTE_CHARACTERS = 500
SHOWN: tuple[Mark, ...] = ("unread", "read", "kept")
"""Without a mark asked for; what was dismissed is seen only when asked for."""


def reading(
    ws: Workspace,
    *,
    page: int = 1,
    kind: str = "",
    source: str = "",
    mark: Mark | str = "",
    topic: str = "",
    query: str = "",
    now: datetime,
) -> Reading:
    """One page of stories, unread first, then by trust and recency.

    Args:
        page: From 1; beyond the last one, the last.
        kind: Kind of source; empty: all.
        source: A source's name, or an owner; empty: all.
        mark: unread, read, kept or dismissed; empty: all but what was dismissed.
        topic: Id of a topic that the story speaks of.
        query: As for `search`; only stories that it finds (at most 500).
    Raises:
        BadInput: no such kind or mark, or a query that cannot be read.
    """
    if mark and mark not in get_args(Mark):
        raise BadInput(f"mark {mark!r}: expected one of {', '.join(get_args(Mark))}")
    marks = (mark,) if mark else SHOWN
    kinds = (kind_of(kind),) if kind else ()
    sources = (source,) if source else ()
    among = None if not query.strip() else _found(ws, query, now)
    with ws.database.read() as connection:
        states = load_states(connection)
        total, unread = rows.count_stories(
            connection, kinds=kinds, sources=sources, marks=marks, topic=topic, among=among
        )
        pages = max(1, -(-total // PER_PAGE))
        page = min(max(1, page), pages)
        trust = {name: state.source.trust for name, state in states.items()}
        listed = rows.list_stories(
            connection,
            kinds=kinds,
            sources=sources,
            marks=marks,
            topic=topic,
            among=among,
            trust=trust,
            limit=PER_PAGE,
            offset=(page - 1) * PER_PAGE,
        )
        members = members_of(connection, [first.document.id for first, _, _ in listed])
        told = [one.document.id for there in members.values() for one in there]
        topics = rows.topics_of(connection, told)
    items = tuple(
        _item(first, members.get(first.document.id, ()), trust, mark_, note, topics)
        for first, mark_, note in listed
    )
    return Reading(items=items, total=total, unread=unread, page=page, pages=pages)


def _found(ws: Workspace, query: str, now: datetime) -> list[str]:
    from primeta.workspace.search import MOST, search

    found = [hit.document.id for hit in search(ws, query, limit=MOST, now=now).hits]
    with ws.database.read() as connection:
        return list(dict.fromkeys(one.story for one in load_numbered(connection, found)))


def _item(
    first: Numbered,
    members: Sequence[Numbered],
    trust: dict[str, float],
    mark: str,
    note: str,
    topics: dict[str, tuple[str, ...]],
) -> ReadingItem:
    spoken = dict.fromkeys(topic for one in (first, *members) for topic in topics.get(one.document.id, ()))
    return ReadingItem(
        first=first.document,
        copies=tuple(
            Copied(document=one.document, why=one.why)
            for one in members
            if one.document.id != first.document.id
        ),
        trust=trust.get(first.document.source, 0.5),
        mark=mark,  # pyright: ignore[reportArgumentType]
        topics=tuple(spoken),
        logged=note,
    )


def document(ws: Workspace, identity: str) -> Document:
    """One document.

    Raises:
        NotFound: there is none with this id.
    """
    with ws.database.read() as connection:
        found = load_documents(connection, [identity])
    if not found:
        raise NotFound(f"there is no document {identity!r}; `primeta search {ws.folder} WORDS` finds some")
    return found[0]


def reading_item(ws: Workspace, identity: str) -> ReadingItem:
    """The story that a document tells: who spoke first, its copies, its mark, its topics.

    Raises:
        NotFound: there is no document with this id.
    """
    story = _story(ws, identity)
    with ws.database.read() as connection:
        states = load_states(connection)
        members = members_of(connection, [story])[story]
        mark, note = rows.load_mark(connection, story)
        topics = rows.topics_of(connection, [one.document.id for one in members])
    trust = {name: state.source.trust for name, state in states.items()}
    return _item(members[0], members, trust, mark, note, topics)


def _story(ws: Workspace, identity: str) -> str:
    with ws.database.read() as connection:
        found = load_numbered(connection, [identity])
        if not found:
            raise NotFound(
                f"there is no document {identity!r}; `primeta search {ws.folder} WORDS` finds some"
            )
        # The first telling may have been erased since; the document then stands for itself.
        return found[0].story if load_documents(connection, [found[0].story]) else identity


def mark_document(ws: Workspace, identity: str, mark: Mark | str, *, by: str, now: datetime) -> None:
    """Write what somebody did with the story of a document: read, kept, dismissed, or unread again.

    Raises:
        BadInput: no such mark, or nobody who sets it.
        NotFound: there is no document with this id.
    """
    if mark not in get_args(Mark):
        raise BadInput(f"mark {mark!r}: expected one of {', '.join(get_args(Mark))}")
    by, story = people.named_person(by), _story(ws, identity)
    with ws.database.write() as connection:
        rows.save_mark(connection, story, mark=mark, by=by, at=now)


def log_document(
    ws: Workspace,
    identity: str,
    *,
    by: str,
    now: datetime,
    text: str = "",
    subject: str = "",
    direction: Direction = "up",
    trend: str | None = None,
) -> Note:
    """Make a note of a story, so that it counts as a sign; once.

    Args:
        text: What the person says about it; empty: its title and first sentences.
        subject: Empty: its title.
        trend: Attach it to this trend at once.
    Raises:
        NotFound: no such document or trend.
        BadInput: nobody who logs it; a direction that is none; a document without words.
    """
    item = reading_item(ws, identity)
    first = item.first
    if item.logged:
        kept = next((note for note in ws.notes() if note.id == item.logged), None)
        if kept is not None:
            if trend:
                ws.attach(trend, kept.id, by=by, now=now)
            return kept
    day = ws.day_of(first.published_at or first.seen_at)
    note = people.log_signal(
        ws,
        text=text.strip() or _told(first),
        origin=GROUP_OF[first.kind],
        by=by,
        now=now,
        subject=subject.strip() or first.title.strip(),
        source=first.owner,
        # A feed may date its entries ahead; nobody has seen anything tomorrow.
        happened_at=min(day, ws.day(now)),
        url=first.url,
        trend=trend,
        direction=direction,
    )
    mark = "kept" if item.mark in ("unread", "read") else item.mark
    with ws.database.write() as connection:
        rows.save_mark(connection, first.id, mark=mark, by=people.named_person(by), at=now, note=note.id)
    return note


def _told(document: Document) -> str:
    """The title and as many whole sentences as fit in 500 characters."""
    lines = [document.title.strip()] if document.title.strip() else []
    room = NOTE_CHARACTERS
    body: list[str] = []
    for sentence in sentences(document.text[:5_000]):
        if sentence == document.title.strip():
            continue
        if body and len(sentence) > room:
            break
        body.append(sentence if len(sentence) <= room else sentence[:room].rsplit(" ", 1)[0] + " …")
        room -= len(body[-1])
        if room <= 0:
            break
    return "\n".join([*lines, " ".join(body)]).strip()
