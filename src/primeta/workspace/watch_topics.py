"""What `primeta watch` does with texts: their terms are kept, topics are found by each look, and become signals.

Terms lie in `cache/texts/terms` and may be deleted at any time; the next watch reads the documents again. Who spoke,
when, and which story a document tells is always taken from the state, never from the cache.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Connection, select

from primeta.errors import Locked, Unavailable
from primeta.signals.signal import Signal
from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.origins import cited_sources
from primeta.signals.texts.plain_words import normal_form
from primeta.signals.texts.records import FrozenTopic, Topic
from primeta.signals.texts.separate_voices import is_voice
from primeta.sources.records import GROUP_OF, Document
from primeta.store import documents as document_rows
from primeta.store import topics as topic_rows
from primeta.store.schema import documents as documents_table
from primeta.trends.evidence import gather
from primeta.workspace.files import write_whole

if TYPE_CHECKING:
    from primeta.workspace.workspace import Progress, Workspace

FOLDER = Path("cache") / "texts" / "terms"
MARK = "mark.json"
VERSION = 2
"""Of how terms are read; another one reads all documents again."""
PORTION = 20_000
LEAST_WEEKS = 8
"""Finished weeks of texts below which nobody can know what is usual."""
READ_FOR_TYPE = 60
"""Texts of a topic that are read for its type and for the day from which a rule applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicsSeen:
    """What one look at the texts came to."""

    signals: tuple[Signal, ...] = ()
    topics: Mapping[str, tuple[FrozenTopic, Topic]] = field(default_factory=dict)
    documents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stories: int = 0
    """In the finished periods."""
    terms: int = 0
    """That were judged."""
    why_not: str = ""
    """Why nothing could be told: `few-texts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What the sources brought to a watch."""

    new: int
    failed: tuple[tuple[str, str], ...]
    """(source, why in the workspace's language)."""


def collected_now(ws: Workspace, *, now: datetime, progress: Progress) -> Collected | None:
    """Ask the sources whose time has come; None where none is declared.

    A collector that works beside is left to it: what it has written by now is what is watched.
    """
    if not ws.config.sources.declared:
        return None
    from primeta.sources.trouble_words import explain_trouble

    try:
        report = ws.collect(now=now, progress=lambda _name, done, total: progress("collect", done, total))
    except Locked:
        return Collected(new=0, failed=())
    except Unavailable as error:
        # A full disk, say: what is known by now is watched all the same.
        return Collected(new=0, failed=(("collect", str(error)),))
    lang = "ru" if ws.config.language == "ru" else "en"
    return Collected(
        new=report.new,
        failed=tuple((name, explain_trouble(trouble, lang)) for name, trouble in report.failed),
    )


class Texts:
    """The workspace's documents as terms, read once for all looks of a watch."""

    def __init__(self, ws: Workspace, *, progress: Progress | None = None) -> None:
        self.ws = ws
        self._tell = progress or (lambda _step, _done, _total: None)
        self.rows = _rows(ws, self._tell)

    @property
    def first(self) -> datetime | None:
        """Time of the earliest text; None where there is none."""
        return self._moment(min)

    @property
    def last(self) -> datetime | None:
        return self._moment(max)

    def _moment(self, which: Callable[[Any], Any]) -> datetime | None:
        if not self.rows.num_rows:
            return None
        return datetime.fromtimestamp(int(which(self.rows["at"].to_numpy())) / 1e6, self.ws.config.zone)

    def look(self, until: datetime, *, since: date) -> TopicsSeen:
        """The topics of all that was said before `until`, each under the name of its first sight.

        Args:
            since: The first day that is watched, for new topics as for known ones; what was said earlier is what is
                usual. It stays where it is for a promise year, so that the goal does not move.
        """
        from primeta.signals.texts.as_signals import (
            as_first_seen,
            by_origin,
            freeze,
            recognised,
            topic_signals,
        )
        from primeta.signals.texts.emergence import emerge
        from primeta.signals.texts.panel_build import build
        from primeta.signals.texts.terms import TermReader
        from primeta.signals.texts.topics import topics_of

        ws, settings = self.ws, self.ws.config.watch
        built = build(self.rows, until=until, zone=ws.config.zone)
        stories = built.told.num_rows
        periods = len(built.panel.weeks) * (1 if built.grain == "week" else 1 / 7)
        if periods < LEAST_WEEKS or not built.panel.candidates:
            return TopicsSeen(stories=stories, why_not="few-texts")
        promise = max(sum(week >= since for week in built.panel.weeks), 1)
        self._tell("topics", 0, 2)
        # A promise lasts a year: a look at its beginning is one of the same looks as those that follow.
        year = 52 if built.grain == "week" else 364
        whole = emerge(built.panel, error=settings.false_share, promise=promise, horizon=year)
        self._tell("topics", 1, 2)

        def documents(ids: Sequence[str]) -> Sequence[Document]:
            with ws.database.read() as connection:
                return document_rows.load_documents(connection, ids)

        found = topics_of(
            built, whole, self.rows, documents=documents, reader=TermReader(), zone=ws.config.zone
        )
        found = tuple(one for one in found if one.topic.terms)
        with ws.database.read() as connection:
            known = topic_rows.load_frozen_topics(connection)
            told_before = _topic_signal_ids(connection)
        same = recognised(found, known)
        sides = by_origin(whole, promise=promise, horizon=year) if found else {}
        signals: list[Signal] = []
        topics: dict[str, tuple[FrozenTopic, Topic]] = {}
        members: dict[str, tuple[str, ...]] = {}
        for one in found:
            identity = same.get(one.topic.id, one.topic.id)
            if identity in topics:
                continue
            frozen = known.get(identity) or freeze(one.topic, one.documents)
            texts = documents(one.stories[:READ_FOR_TYPE])
            sides_of = topic_signals(
                one,
                identity=identity,
                frozen=frozen,
                whole=whole,
                sides=sides,
                links=_links(texts),
                known=told_before,
            )
            signals += sides_of
            topic = _graded(as_first_seen(one.topic, identity, frozen), sides_of, until.date())
            topics[identity] = (frozen, _typed(topic, texts, until.date()))
            members[identity] = one.documents
        self._tell("topics", 2, 2)
        return TopicsSeen(
            signals=tuple(signals),
            topics=topics,
            documents=members,
            stories=stories,
            terms=built.panel.candidates,
        )


def _graded(topic: Topic, signals: Sequence[Signal], today: date) -> Topic:
    """With the grade of its signals together, by the rule of trends: two owners of one origin confirm nothing."""
    together = gather(signals, (), today=today)
    lone = tuple(code for code in topic.why if code in ("one_owner", "second_owner_unproven"))
    why = together.why if together.grade == "confirmed" else (*together.why, *lone)
    return replace(topic, grade=together.grade, why=why)


def _topic_signal_ids(connection: Connection) -> frozenset[str]:
    from primeta.store.schema import signals

    return frozenset(
        row.id
        for row in connection.execute(select(signals.c.id, signals.c.evidence))
        if row.evidence.get("topic")
    )


def _links(texts: Iterable[Document]) -> tuple[str, ...]:
    """Where stories stand and what they cite, as `story_link` writes it."""
    from primeta.signals.texts.origins import story_link

    return tuple(sorted({link for one in texts for link in map(story_link, (one.url, *one.links)) if link}))


def _typed(topic: Topic, texts: Sequence[Document], today: date) -> Topic:
    """With its type and the words that speak for it; of what a regulator says or what is a rule, the day it applies."""
    from primeta.signals.texts.dates_of_rules import applies_from, due_day
    from primeta.signals.texts.trend_type import trend_type

    found = trend_type([_whole(one) for one in texts], [one.kind for one in texts])
    day = None
    if "regulator" in topic.origins or found.type == "regulatory":
        told = [
            rule
            for one in texts
            for rule in applies_from(_whole(one), published_at=one.published_at or one.seen_at)
        ]
        day = due_day(told, today=today)
    return replace(topic, type=found.type, type_words=found.words, applies_from=day)


def _rows(ws: Workspace, tell: Progress) -> pa.Table:
    """All documents as `panel_build.SCHEMA`: terms from the cache, the rest as the state knows it now."""
    from primeta.signals.texts.panel_build import SCHEMA, TermStore

    folder = ws.folder / FOLDER
    store = TermStore(folder)
    mark, boilerplate = _read_mark(folder)
    with ws.database.read() as connection:
        newest = document_rows.last_number(connection)
    if mark > newest:
        # The state is another one than the cache was made of.
        shutil.rmtree(folder, ignore_errors=True)
        mark, boilerplate = 0, Boilerplate()
    company = normal_form(ws.config.name)
    start = mark
    while mark < newest:
        with ws.database.read() as connection:
            portion = list(document_rows.documents_after(connection, mark, PORTION))
        if not portion:
            break
        tell("terms", mark - start, newest - start)
        documents = [entry.document for entry in portion]
        for source, voices in dict.fromkeys((one.source, is_voice(one)) for one in documents):
            said = (_whole(one) for one in documents if (one.source, is_voice(one)) == (source, voices))
            boilerplate.add(source, said, voices=voices)
        left = {one.id: boilerplate.left(one.source, _whole(one)) for one in documents}
        store.add([one for one in documents if not is_own_word(one, company)], left=left)
        mark = portion[-1].number
        _write_mark(folder, mark, boilerplate)
    tell("terms", newest - start, newest - start)
    rows = store.table()
    if not rows.num_rows:
        return rows
    return _as_known(ws, rows).select(SCHEMA.names).cast(SCHEMA)


def _as_known(ws: Workspace, rows: pa.Table) -> pa.Table:
    """Rows with the story, its owner and their origin as the state knows them; documents that it lost are out."""
    columns = (
        documents_table.c.id,
        documents_table.c.story,
        documents_table.c.owner,
        documents_table.c.forwarded_from,
        documents_table.c.kind,
    )
    with ws.database.read() as connection:
        known = connection.execute(select(*columns)).all()
    speaks = {row.id: row.forwarded_from or row.owner for row in known}
    table = pa.table(
        {
            "id": pa.array([row.id for row in known], pa.string()),
            "story": pa.array([row.story for row in known], pa.string()),
            "owner": pa.array([speaks.get(row.story, row.owner) for row in known], pa.string()),
            "origin": pa.array([GROUP_OF[row.kind] for row in known], pa.string()),
        }
    )
    place = {name: at for at, name in enumerate(table["id"].to_pylist())}
    ids = rows["id"].to_pylist()
    at = [place.get(name) for name in ids]
    there = [number for number, found in enumerate(at) if found is not None]
    kept = rows.take(pa.array(there, pa.int64()))
    told = table.take(pa.array([at[number] for number in there], pa.int64()))
    for name in ("story", "owner", "origin"):
        kept = kept.set_column(kept.schema.get_field_index(name), name, told[name])
    return kept


def is_own_word(document: Document, company: str) -> bool:
    """Whether a text goes back to the company itself: it speaks, is forwarded, or is named as the source.

    Who tells of a company's own figures saw nothing that the company did not see.

    Args:
        company: `normal_form` of its name.
    """
    if not company:
        return False
    if company in (normal_form(document.owner), normal_form(document.forwarded_from)):
        return True
    return company in map(normal_form, cited_sources(_whole(document)))


def _whole(one: Document) -> str:
    return f"{one.title}\n{one.text}".strip()


def _read_mark(folder: Path) -> tuple[int, Boilerplate]:
    try:
        kept = json.loads((folder / MARK).read_text(encoding="utf-8"))
        if kept["version"] == VERSION:
            return int(kept["number"]), Boilerplate.from_state(kept["boilerplate"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    return 0, Boilerplate()


def _write_mark(folder: Path, number: int, boilerplate: Boilerplate) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"version": VERSION, "number": number, "boilerplate": boilerplate.state()}
    write_whole(folder / MARK, json.dumps(kept))
