"""What is being said, as a part of the digest: topics that moved, with quotes; the most told stories; themes of voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from primeta.show import locale
from primeta.show.locale import Language
from primeta.show.messages import count, say
from primeta.signals.signal import Grade
from primeta.signals.texts.records import Quote, Topic
from primeta.signals.texts.topics_words import WORDS as TOPIC_WORDS
from primeta.sources.records import GROUP_OF
from primeta.store import documents as document_rows
from primeta.store.schema import documents as documents_table
from primeta.store.times import naive
from primeta.store.topics import load_topics
from primeta.trends.evidence import STRENGTH
from primeta.workspace.topics import moved_topics
from primeta.workspace.words import owners_named

if TYPE_CHECKING:
    from primeta.sources.records import Document
    from primeta.workspace.texts_views import Theme
    from primeta.workspace.workspace import Workspace

TOPICS, QUOTES, STORIES, THEMES = 5, 2, 3, 3
QUOTED = 240
"""Characters of a quote."""
THEME_DAYS = 28
"""Over which themes of voices are told: a week of one shop's tickets is few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTopic:
    """A topic whose grade moved in the week."""

    topic: Topic
    was: Grade | None
    now: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldStory:
    """A story of the week that many repeated; all of them are one origin."""

    first: Document
    owners: tuple[str, ...]
    """Who told it, the first one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a week of texts says; three dresses, as a table has."""

    topics: tuple[MovedTopic, ...]
    noticed: int
    """Topics that were noticed for the first time and do not hold yet."""
    stories: tuple[ToldStory, ...]
    themes: tuple[Theme, ...]
    documents: int
    """Published in the week."""
    language: Language
    zone: Any

    def text(self) -> str:
        """For a chat or a log."""
        parts = []
        for head, facts, quotes in self._told():
            parts.append("\n".join([head, *(f"  {fact}" for fact in facts), *map(self._quote_text, quotes)]))
        return "\n\n".join(parts)

    def markdown(self) -> str:
        parts = []
        for head, facts, quotes in self._told():
            lines = [f"**{_plain(head)}**", *map(_plain, facts)]
            parts.append("  \n".join(lines))
            parts += [
                f"> {_plain(_short(quote.text))}  \n> {self._where_markdown(quote)}" for quote in quotes
            ]
        return "\n\n".join(parts)

    def html(self) -> str:
        """Escaped; links only to pages of the web."""
        parts = []
        for head, facts, quotes in self._told():
            parts.append(f"<p><b>{escape(head)}</b></p>")
            parts += [f"<p>{escape(fact)}</p>" for fact in facts]
            for quote in quotes:
                where = escape(self._where(quote))
                if quote.url.startswith(("https://", "http://")):
                    where = f'<a href="{escape(quote.url)}">{where}</a>'
                parts.append(
                    f'<blockquote>{escape(_short(quote.text))}<br><span class="note">{where}</span></blockquote>'
                )
        return "".join(parts)

    def as_dict(self) -> dict[str, Any]:
        return {
            "documents": self.documents,
            "topics": [
                {
                    "id": entry.topic.id,
                    "terms": list(entry.topic.terms),
                    "since": entry.topic.since,
                    "was": entry.was,
                    "now": entry.now,
                    "origins": list(entry.topic.origins),
                    "owners": list(entry.topic.owners),
                    "quotes": [
                        {
                            "text": quote.text,
                            "source": quote.source,
                            "url": quote.url,
                            "published_at": quote.published_at,
                        }
                        for quote in entry.topic.quotes[:QUOTES]
                    ],
                }
                for entry in self.topics
            ],
            "noticed": self.noticed,
            "stories": [
                {
                    "title": _title(entry.first),
                    "owner": entry.owners[0],
                    "url": entry.first.url,
                    "told_by": len(entry.owners),
                }
                for entry in self.stories
            ],
            "themes": [
                {"id": theme.id, "terms": list(theme.terms), "voices": theme.voices, "share": theme.share}
                for theme in self.themes
            ],
        }

    def _told(self) -> list[tuple[str, list[str], Sequence[Quote]]]:
        """(headline, facts, quotes) of each thing, in the order in which it wants attention."""
        lang = self.language
        told: list[tuple[str, list[str], Sequence[Quote]]] = []
        for entry in self.topics:
            topic = entry.topic
            name = locale.topic_name("topic:" + ", ".join(topic.terms[:3]), lang)
            facts = say(
                lang,
                "More is said of it since {since:date}: {stories} of {owners}.",
                since=topic.since,
                stories=count(lang, "{n} story", "{n} stories", topic.stories),
                owners=owners_named(topic.owners, lang),
            )
            lines = [facts]
            if topic.applies_from is not None:
                lines.append(say(lang, "The rule applies from {day:date}.", day=topic.applies_from))
            told.append((f"{name}: {self._move(entry)}", lines, topic.quotes[:QUOTES]))
        if self.noticed:
            more = count(
                lang,
                "{n} more topic was noticed; it does not hold yet.",
                "{n} more topics were noticed; they do not hold yet.",
                self.noticed,
            )
            told.append((more, [], ()))
        if self.stories:
            lines = [f"{_title(entry.first)} ({self._repeated(entry)})" for entry in self.stories]
            told.append((say(lang, "Told most often"), lines, ()))
        if self.themes:
            lines = [
                say(
                    lang,
                    "{terms}: {share:share} of what customers wrote in four weeks",
                    terms=", ".join(theme.terms[:3]),
                    share=theme.share,
                )
                for theme in self.themes
            ]
            told.append((say(lang, "What customers write about"), lines, ()))
        if not told:
            told.append(
                (
                    count(
                        lang,
                        "{n} text came this week; nothing new holds in it.",
                        "{n} texts came this week; nothing new holds in them.",
                        self.documents,
                    ),
                    [],
                    (),
                )
            )
        return told

    def _move(self, entry: MovedTopic) -> str:
        states = TOPIC_WORDS[self.language]
        now = states[entry.now]
        if entry.was is None or entry.was == entry.now:
            return now
        return f"{states[entry.was]} → {now}"

    def _repeated(self, entry: ToldStory) -> str:
        return say(
            self.language,
            "{first}; {rest}, all one origin",
            first=entry.owners[0],
            rest=count(self.language, "repeated by {n}", "repeated by {n}", len(entry.owners) - 1),
        )

    def _quote_text(self, quote: Quote) -> str:
        url = f" {quote.url}" if quote.url.startswith(("https://", "http://")) else ""
        return f"  {self._marked(_short(quote.text))}\n    {self._where(quote)}{url}"

    def _marked(self, text: str) -> str:
        return f"«{text}»" if self.language == "ru" else f"“{text}”"

    def _where(self, quote: Quote) -> str:
        day = locale.day(quote.published_at.astimezone(self.zone).date(), self.language)
        return f"{quote.owner}, {day}"

    def _where_markdown(self, quote: Quote) -> str:
        where = _plain(self._where(quote))
        if quote.url.startswith(("https://", "http://")):
            return f"[{where}](<{quote.url.replace('<', '%3C').replace('>', '%3E')}>)"
        return where


def said_in(ws: Workspace, *, until: datetime, lang: Language, now: datetime) -> Said | None:
    """What the seven days before `until` say; None where no source is declared and nothing was ever collected."""
    start = until - timedelta(days=7)
    with ws.database.read() as connection:
        collected = document_rows.last_number(connection)
        if not ws.config.sources.declared and not collected:
            return None
        topics = {topic.id: topic for topic in load_topics(connection)}
        number = _count(connection, start, until)
        told = _most_told(connection, start, until)
    moves = moved_topics(ws, after=start)
    moved = [
        MovedTopic(topic=topics[name], was=was, now=topics[name].grade)
        for name, (was, _) in moves.items()
        if name in topics
    ]
    strong = [
        entry
        for entry in moved
        if STRENGTH[entry.now] >= STRENGTH["holding"] or entry.was not in (None, "noticed")
    ]
    strong.sort(key=lambda entry: (-STRENGTH[entry.now], -entry.topic.e_value, entry.topic.id))
    return Said(
        topics=tuple(strong[:TOPICS]),
        noticed=sum(entry.now == "noticed" and entry.was is None for entry in moved),
        stories=told,
        themes=_themes(ws, until, now),
        documents=number,
        language=lang,
        zone=ws.config.zone,
    )


def _count(connection: Any, start: datetime, until: datetime) -> int:
    at = documents_table.c.at
    query = select(func.count()).where(at >= naive(start), at < naive(until))
    return int(connection.scalar(query) or 0)


def _most_told(connection: Any, start: datetime, until: datetime) -> tuple[ToldStory, ...]:
    """Stories of the week that the most owners told, two at least; those of customers are left out."""
    table = documents_table
    many = func.count(table.c.owner.distinct())
    query = (
        select(table.c.story)
        .where(table.c.at >= naive(start), table.c.at < naive(until), table.c.customer_id == "")
        .group_by(table.c.story)
        .having(many >= 2)
        .order_by(many.desc(), table.c.story)
        .limit(STORIES)
    )
    stories = list(connection.scalars(query))
    members = document_rows.members_of(connection, stories)
    found = []
    for story in stories:
        there = [entry.document for entry in members.get(story, ())]
        if there:
            owners = tuple(dict.fromkeys(one.owner for one in there))
            found.append(ToldStory(first=there[0], owners=owners))
    return tuple(found)


def _themes(ws: Workspace, until: datetime, now: datetime) -> tuple[Theme, ...]:
    """The largest themes of the last weeks; nothing where customers wrote nothing in them."""
    last = until.astimezone(ws.config.zone).date() - timedelta(days=1)
    first = last - timedelta(days=THEME_DAYS - 1)
    kinds = [kind for kind, group in GROUP_OF.items() if group == "voice"]
    table = documents_table
    query = (
        select(table.c.number)
        .where(table.c.kind.in_(kinds), table.c.at >= naive(until - timedelta(days=THEME_DAYS)))
        .limit(1)
    )
    with ws.database.read() as connection:
        if connection.scalar(query) is None:
            return ()
    return ws.voices(since=first, until=last, now=now).themes[:THEMES]


def _title(one: Document) -> str:
    title = one.title or one.text.strip().split("\n", 1)[0]
    return title if len(title) <= 120 else title[:119].rstrip() + "…"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= QUOTED else plain[: QUOTED - 1].rstrip() + "…"


def _plain(text: str) -> str:
    """Markdown that says nothing but its words: what others wrote makes no headings, links or pictures."""
    for sign in "\\`*_{}[]<>#|!":
        text = text.replace(sign, "\\" + sign)
    return text


def end_of_week(seen_until: datetime, zone: Any) -> datetime:
    """Midnight after the last known day."""
    local = seen_until.astimezone(zone)
    return (
        local if local.time() == time() else datetime.combine(local.date() + timedelta(days=1), time(), zone)
    )
