"""The verb `topics`: what people have begun to speak of, from dated texts in a file, a table or a list of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from primeta.errors import BadInput
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.result import Head, Table
from primeta.signals.detect_table import Text
from primeta.signals.texts.boilerplate import Boilerplate
from primeta.signals.texts.emergence import emerge
from primeta.signals.texts.kept_stories import KeptStories
from primeta.signals.texts.panel_build import SCHEMA, Grain, build, told_rows
from primeta.signals.texts.records import Topic
from primeta.signals.texts.separate_voices import is_voice
from primeta.signals.texts.terms import TermReader
from primeta.signals.texts.topics import FoundTopic, as_dict, topics_of
from primeta.signals.texts.topics_picture import Line, topics_picture
from primeta.signals.texts.topics_table import DatedTexts, dated_texts
from primeta.signals.texts.topics_words import WORDS, after_accusative, appeared, counted
from primeta.sources.records import Document

Ids = npt.NDArray[np.int64]

LEAST: Mapping[Grain, int] = {"week": 8, "day": 14}
"""Finished periods below which nobody can know what is usual."""
PROMISE = 52
"""Weeks in which topics are looked for."""
BATCH = 20_000
SHOWN = 9
"""Topics that a picture shows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Emerging:
    """What `topics` found in dated texts."""

    found: tuple[FoundTopic, ...]
    """Topics that at least two sources speak of; of any where all texts have one source."""
    alone: tuple[FoundTopic, ...]
    """What one source of several speaks of alone: his campaign or his habit, until somebody else does."""
    as_of: date
    """The last day that was known."""
    weeks: tuple[date, ...]
    """(W,) Mondays of finished weeks, or finished days."""
    grain: Grain
    volume: Ids
    """(W,) stories."""
    documents: int
    stories: int
    owners: int
    candidates: int
    """Terms that were judged."""
    error: float
    notes: tuple[Text, ...]
    """What was done to the rows, each in both languages."""
    why_not: str = ""

    @property
    def topics(self) -> tuple[Topic, ...]:
        return tuple(one.topic for one in self.found)

    def line(self, lang: str = "en") -> str:
        """The finding in one or two sentences."""
        words = WORDS[lang]
        as_of = locale.day(self.as_of, lang)
        if self.why_not:
            least = counted(LEAST[self.grain], self.grain, lang)
            return words[self.why_not].format(as_of=as_of, periods=self._periods(lang), least=least)
        if self.found:
            first = self._said(self.found[0].topic, lang)
            n = len(self.found)
            text = words["one" if n == 1 else "several"].format(
                as_of=as_of, topics=counted(n, "topics", lang), appeared=appeared(n), first=first
            )
        else:
            text = words["none"].format(as_of=as_of, seen=self._seen(lang))
        if self.alone:
            text += words["alone"].format(terms=", ".join(_quoted(one.topic, lang) for one in self.alone[:3]))
        return text

    def table(self, lang: str = "en") -> Table:
        """One row a topic."""
        words = WORDS[lang]
        heads = (
            Head(words["topic_head"]), Head(words["since"]), Head(words["origins"], "right"),
            Head(words["documents"], "right"), Head(words["share"], "right"), Head(words["evidence"], "right"),
            Head(words["grade"]),
        )  # fmt: skip
        rows = tuple(
            (
                ", ".join(one.topic.terms[:4]),
                locale.day(one.topic.since, lang),
                locale.number(len(one.topic.owners), lang),
                locale.number(one.topic.documents, lang),
                self._shares(one, lang),
                locale.bet(one.topic.e_value, lang),
                words[one.topic.grade],
            )
            for one in self.found
        )
        note = words["note"].format(error=locale.percent(self.error, lang))
        if self.owners == 1:
            note = f"{words['note.alone']} {note}"
        return Table(heads=heads, rows=rows, note=note)

    def quotes(self, lang: str = "en", *, topics: int = 5, each: int = 2) -> tuple[str, ...]:
        """Lines for a terminal or a chat: each topic, then what was said, where and when."""
        words = WORDS[lang]
        lines: list[str] = []
        for one in self.found[:topics]:
            lines.append(", ".join(one.topic.terms[:4]))
            lines += [
                "  "
                + words["quote"].format(
                    text=q.text, source=q.source, day=locale.day(q.published_at.date(), lang)
                )
                for q in one.topic.quotes[:each]
            ]
        return tuple(lines)

    def picture(self, lang: str = "en") -> Picture:
        """Small multiples: the share of each topic in all stories, period by period, one scale for all."""
        words = WORDS[lang]
        lines = [
            Line(
                name=", ".join(one.topic.terms[:2]),
                share=np.divide(
                    one.weekly, self.volume, out=np.full(len(self.volume), np.nan), where=self.volume > 0
                ),
                onset=self.weeks.index(one.topic.since),
            )
            for one in self.found[:SHOWN]
        ]
        each = " ".join(
            words["description"].format(
                terms=", ".join(one.topic.terms[:2]),
                since=locale.day(one.topic.since, lang),
                before=locale.percent(one.share_before, lang),
                after=locale.percent(one.share_since, lang),
            )
            for one in self.found[:SHOWN]
        )
        title = self.line(lang)
        return topics_picture(
            lines,
            weeks=self.weeks,
            lang=lang,
            title=title,
            subtitle=words["subtitle"].format(grain=words[self.grain]),
            source=self._seen(lang),
            description=title + (words["described"].format(each=each) if each else ""),
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "as_of": self.as_of,
            "error": self.error,
            "grain": self.grain,
            "periods": len(self.weeks),
            "documents": self.documents,
            "stories": self.stories,
            "sources": self.owners,
            "candidates": self.candidates,
            "topics": [self._as_dict(one) for one in self.found],
            "one_source": [self._as_dict(one) for one in self.alone],
            "why_not": self.why_not or None,
            "notes": [note.en for note in self.notes],
        }

    def _as_dict(self, one: FoundTopic) -> dict[str, Any]:
        return {
            **as_dict(one.topic),
            "share_before": one.share_before,
            "share_since": one.share_since,
            "shares": [
                {"week": week, "stories": int(number), "of": int(volume)}
                for week, number, volume in zip(self.weeks, one.weekly, self.volume, strict=True)
                if week >= one.topic.since
            ],
        }

    def _repr_html_(self) -> str:
        return (self.picture()._repr_html_() if self.found else f"<p>{self.line()}</p>") + self.table().html()

    def _periods(self, lang: str) -> str:
        n = len(self.weeks)
        return after_accusative(n, self.grain) if lang == "ru" else counted(n, self.grain, lang)

    def _seen(self, lang: str) -> str:
        return WORDS[lang]["seen"].format(
            stories=counted(self.stories, "stories", lang),
            owners=counted(self.owners, "sources", lang),
            periods=counted(len(self.weeks), self.grain, lang),
        )

    def _said(self, topic: Topic, lang: str) -> str:
        noun = "independent" if len(topic.owners) > 1 else "sources"
        return WORDS[lang]["said"].format(
            terms=", ".join(topic.terms[:3]),
            since=locale.day(topic.since, lang),
            origins=counted(len(topic.owners), noun, lang),
        )

    def _shares(self, one: FoundTopic, lang: str) -> str:
        before = locale.percent(one.share_before, lang) if one.share_before > 0 else WORDS[lang]["new"]
        return f"{before} → {locale.percent(one.share_since, lang)}"


def _quoted(topic: Topic, lang: str) -> str:
    words = ", ".join(topic.terms[:2])
    return f"«{words}»" if lang == "ru" else f"“{words}”"


def topics(
    rows: Any,
    *,
    as_of: date | datetime | str | None = None,
    error: float = 0.05,
    columns: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    progress: Callable[[str, int, int], None] | None = None,
) -> Emerging:
    """Topics that have emerged by a day in dated texts of one or many sources.

    Args:
        rows: A path to a CSV or Parquet file, an Arrow table, a data frame, a mapping of columns or a list of
            mappings. Columns: `published_at`, `source`, `text`; optional `id`, `url`, `title`, `owner` (of several
            sources that are one origin), `kind` (of source), `forwarded_from`, `customer_id` (who speaks: what
            several customers say alike is no copy).
        as_of: The last day that is known; nothing after it is looked at. Default: the day of the last text.
        error: Largest expected share of false ones among the topics that are holding or better; topics that are only
            noticed are told from an e-value of 1/error on.
        columns: Canonical name → the name in the file.
        timezone: Zone of times that carry none; days and weeks are cut in it.
        progress: Told the step, what is done and what there is to do.
    Raises:
        BadTable: a file, a column or a date that cannot be used. BadInput: an option that cannot.
    """
    if not 0 < error < 1:
        raise BadInput(f"error is a share between 0 and 1, such as .05; {error:g} was given")
    texts = dated_texts(rows, as_of=as_of, columns=columns, timezone=timezone)
    reader = TermReader()
    told = read_stories(texts, reader=reader, progress=progress)
    built = build(told, until=texts.until, zone=texts.zone)
    panel = built.panel
    blank = Emerging(
        found=(),
        alone=(),
        as_of=(texts.until - timedelta(microseconds=1)).astimezone(texts.zone).date(),
        weeks=panel.weeks,
        grain=built.grain,
        volume=panel.volume.sum(axis=0),
        documents=len(texts),
        stories=built.told.num_rows,
        owners=len(panel.owners),
        candidates=panel.candidates,
        error=error,
        notes=texts.notes,
    )
    if not built.told.num_rows:
        return replace(blank, why_not="no_texts" if not len(texts) else "too_few")
    if len(panel.weeks) < LEAST[built.grain]:
        return replace(blank, why_not="too_few")
    # Of a short file the first third is what is usual.
    promise = PROMISE if built.grain == "week" else -(-2 * len(panel.weeks) // 3)
    emerged = emerge(panel, error=error, promise=promise)
    found = topics_of(built, emerged, told, documents=texts.load, reader=reader, zone=texts.zone)
    # Of the noticed ones up to half may be false: shown are those that are worth a look by themselves.
    found = tuple(one for one in found if one.topic.grade != "noticed" or one.topic.e_value >= 1 / error)
    several = len(panel.owners) > 1
    return replace(
        blank,
        found=tuple(one for one in found if not several or len(one.topic.owners) > 1),
        alone=tuple(one for one in found if several and len(one.topic.owners) == 1),
    )


def read_stories(
    texts: DatedTexts, *, reader: TermReader, progress: Callable[[str, int, int], None] | None = None
) -> pa.Table:
    """All texts as rows of `panel_build.SCHEMA`: copies joined to who spoke first, boilerplate taken out."""
    tell = progress or (lambda _step, _done, _total: None)
    n = len(texts)
    if not n:
        return SCHEMA.empty_table()
    boilerplate = Boilerplate()
    for start in range(0, n, BATCH):
        by_source: dict[tuple[str, bool], list[str]] = {}
        for one in texts.documents(start, start + BATCH):
            by_source.setdefault((one.source, is_voice(one)), []).append(_whole(one))
        for (source, voices), said in by_source.items():
            boilerplate.add(source, said, voices=voices)
        tell("boilerplate", min(start + BATCH, n), n)
    place = texts.places()
    first = np.arange(n)
    kept = KeptStories()
    parts: list[pa.Table] = []
    for start in range(0, n, BATCH):
        batch = texts.documents(start, start + BATCH)
        for name, (story, _) in kept.add(batch, load=texts.load).items():
            first[place[name]] = place[story]
        left = {one.id: boilerplate.left(one.source, _whole(one)) for one in batch}
        parts.append(told_rows(batch, (), reader=reader, left=left))
        tell("copies", min(start + BATCH, n), n)
    rows = pa.concat_tables(parts)
    spoke = texts.owners().take(pa.array(first)).cast(pa.string())
    rows = rows.set_column(1, "story", rows["id"].combine_chunks().take(pa.array(first)))
    return rows.set_column(2, "owner", spoke)


def _whole(one: Document) -> str:
    return f"{one.title}\n{one.text}".strip()
