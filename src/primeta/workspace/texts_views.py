"""What the verbs over outside texts answer: records that pages, the terminal and JSON all read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from primeta.show.locale import Language
from primeta.show.result import Head, Table
from primeta.signals.texts.records import Topic
from primeta.sources.records import Document, Source, Trouble

if TYPE_CHECKING:
    from primeta.show.chart import Picture

Health = Literal["well", "quiet", "failing", "stopped", "paused", "never"]
"""Answers as it should; answers, but nothing new for unusually long; failed at the last try and is tried again; failed
for good, a person must act; paused by a person; not tried yet."""
Mark = Literal["unread", "read", "kept", "dismissed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A declared source and how it does."""

    source: Source
    health: Health
    tried_at: datetime | None
    succeeded_at: datetime | None
    next_at: datetime | None
    """When it is due again; None where it is paused or a person must act."""
    failures: int
    """In a row."""
    trouble: Trouble | None
    """Of the last try."""
    part_troubles: tuple[Trouble, ...]
    """Parts of what came last that could not be read."""
    documents: int
    stories: int
    """Those that he told first."""
    last_week: int
    """Documents published in the last seven days."""
    weekly: tuple[int, ...]
    """Documents of the last 13 weeks, oldest first."""
    newest: datetime | None
    raw_bytes: int

    def why(self, lang: Language) -> str:
        """What failed and what to do about it, in plain words; empty where all is well."""
        from primeta.sources.trouble_words import explain_trouble

        return explain_trouble(self.trouble, lang) if self.trouble is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectReport:
    """What one collection did."""

    at: datetime
    asked: int
    new: int
    """Documents."""
    same: int
    """Sources that had nothing new."""
    failed: tuple[tuple[str, Trouble], ...]
    """(source, why)."""
    waiting: int
    """Sources that are not due yet."""
    copies: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One more telling of a story."""

    document: Document
    why: str
    """`signals.texts.records.Copy`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingItem:
    """A story on the reading list: who spoke first, and the copies folded under it."""

    first: Document
    copies: tuple[Copied, ...]
    trust: float
    mark: Mark
    topics: tuple[str, ...] = ()
    """Ids of the topics that it speaks of."""
    logged: str = ""
    """Id of the note that a person made of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One page of the reading list."""

    items: tuple[ReadingItem, ...]
    total: int
    """Stories that fit the filters."""
    unread: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One found document."""

    document: Document
    score: float
    by: tuple[Literal["words", "meaning"], ...]
    """What found it."""
    snippet: tuple[tuple[str, bool], ...]
    """Pieces of its text, True where it is a searched word."""
    copies: int = 0

    def as_dict(self) -> dict[str, Any]:
        one = self.document
        return {
            "id": one.id,
            "source": one.source,
            "owner": one.owner,
            "kind": one.kind,
            "published_at": one.published_at,
            "seen_at": one.seen_at,
            "title": one.title,
            "url": one.url,
            "language": one.language,
            "score": self.score,
            "by": list(self.by),
            "snippet": [{"text": text, "marked": marked} for text, marked in self.snippet],
            "copies": self.copies,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to a search."""

    query: str
    hits: tuple[Hit, ...]
    searched: int
    """Documents that were searched."""
    why_not: str = ""
    """Why it could not be searched by meaning, where it could not: a code of `search_words`."""

    def line(self, lang: Language) -> str:
        from primeta.workspace.search_words import tell

        line = tell(lang, "found" if self.hits else "nothing", n=len(self.hits), searched=self.searched)
        return f"{line} {tell(lang, self.why_not)}" if self.why_not else line

    def table(self, lang: Language) -> Table:
        from primeta.workspace.search_words import tell

        heads = tuple(Head(tell(lang, code)) for code in ("published", "source", "text", "by"))
        heads = (*heads, Head(tell(lang, "copies"), "right"))
        rows = tuple(
            (
                f"{hit.document.published_at or hit.document.seen_at:%Y-%m-%d}",
                hit.document.owner,
                _shortly(hit.document.title or "".join(piece for piece, _ in hit.snippet)),
                ", ".join(tell(lang, way) for way in hit.by),
                str(hit.copies or ""),
            )
            for hit in self.hits
        )
        return Table(heads=heads, rows=rows, note=self.line(lang))

    def as_dict(self) -> dict[str, Any]:
        return {
            "query": self.query,
            "searched": self.searched,
            "why_not": self.why_not,
            "hits": [hit.as_dict() for hit in self.hits],
        }


def _shortly(text: str, most: int = 90) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 2].rsplit(" ", 1)[0] + " …"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicView:
    """A topic with what hangs on it."""

    topic: Topic
    signals: tuple[str, ...]
    """Its signals, one per origin."""
    trend: str
    """Id of the trend that holds them, or empty."""
    trend_name: str
    documents: tuple[Document, ...]
    """The newest stories first, at most a hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What customers who said a thing did afterwards, beside customers like them who did not."""

    outcome: Literal["returned", "orders", "opted_out"]
    """Ordered again within the window; orders per customer within it; opted out or complained within it."""
    window_days: int
    said: float
    """Among those who said it; NaN where unknown."""
    others: float
    """Among the customers compared with: same segment and silence, spoke of something else."""
    difference: float
    low: float
    high: float
    """Interval of said − others, 95%, adjusted for all themes shown together."""
    n: int
    n_others: int
    why_not: str = ""
    """A code of `voices_words.WHY_NOT`."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What many customers speak of."""

    id: str
    terms: tuple[str, ...]
    voices: int
    customers: int
    """Known ones."""
    share: float
    """Of all voices of the period."""
    weekly: tuple[float, ...]
    """Share of each week's voices, oldest first; NaN where nobody spoke."""
    by_segment: Mapping[str, float]
    """Slice → share of its voices."""
    score: float
    """Mean score (NPS, stars) of those who gave one; NaN where nobody did."""
    after: tuple[After, ...]
    quotes: tuple[str, ...]
    topic: str = ""
    """Id of the emerging topic with the same words, where there is one."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Themes:
    """The voice of the customer over a period."""

    since: date
    until: date
    sources: tuple[str, ...]
    voices: int
    with_customer: int
    weeks: tuple[date, ...]
    segment: str
    """The attribute that `by_segment` cuts by; empty where none."""
    themes: tuple[Theme, ...]
    why_not: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """See `workspace.voices.voices`."""

    def line(self, lang: Language) -> str:
        from primeta.workspace.voices_words import line_of

        return line_of(self, lang)

    def table(self, lang: Language) -> Table:
        """A row for each theme."""
        from primeta.workspace.voices_words import table_of

        return table_of(self, lang)

    def after_table(self, lang: Language) -> Table:
        """A row for each theme and what its customers did afterwards."""
        from primeta.workspace.voices_words import after_table_of

        return after_table_of(self, lang)

    def segment_table(self, lang: Language) -> Table:
        """A row for each theme, a column for each slice of the segment."""
        from primeta.workspace.voices_words import segment_table_of

        return segment_table_of(self, lang)

    def picture(self, lang: Language) -> Picture:
        from primeta.workspace.voices_picture import picture_of

        return picture_of(self, lang)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "basis": "observational"}
