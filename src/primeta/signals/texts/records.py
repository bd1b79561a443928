"""What texts become on the way to a signal: a story and its copies, a topic with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from primeta.signals.signal import Block, Grade, Origin

Copy = Literal["exact", "near", "forward", "shared-link", "shared-owner", "same-event", "template"]
"""Why two texts are one origin: the same words; nearly; one says it forwards the other; both cite one link that nobody
else does; one owner; the same event told in other words and at nearly the same time; one long text that several
customers sent (a form, a campaign)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Texts that go back to one origin: whoever spoke first, and those who repeated it."""

    first: str
    """Id of the earliest document; it alone counts."""
    owner: str
    """Who spoke first."""
    members: tuple[str, ...]
    """Ids of all, the first among them, by time."""
    why: Mapping[str, Copy] = field(default_factory=dict)
    """Document → why it is a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A few sentences of one document, with where they stand."""

    text: str
    source: str
    owner: str
    url: str
    published_at: datetime
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much one owner spoke of a topic in one week, against all that he said."""

    week: date
    """Its Monday."""
    owner: str
    origin: Origin
    stories: int
    """Of the topic, first told by him."""
    volume: int
    """All his stories of the week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that more is said of than before, in stories that do not copy one another."""

    id: str
    """Follows from what was frozen at first sight, so a repeated watch finds the same topic."""
    terms: tuple[str, ...]
    """Its words in their usual form, the most telling first; both languages where both speak."""
    since: date
    """Onset: the Monday of the first week of more."""
    first_seen: datetime
    """Time of the first document."""
    noticed_at: datetime
    """The time up to which texts were known when its evidence first reached the level."""
    owners: tuple[str, ...]
    """Independent owners who speak of it, the earliest first."""
    origins: tuple[Origin, ...]
    documents: int
    stories: int
    e_value: float
    """Against "each owner speaks of it as often as before"; running maximum, adjusted for having looked often."""
    second_origin: float
    """E-value against "at most one owner speaks more of it" (partial conjunction, 2 of all)."""
    grade: Grade
    weeks: tuple[Block, ...] = ()
    months: tuple[Block, ...] = ()
    quarters: tuple[Block, ...] = ()
    shares: tuple[Share, ...] = ()
    quotes: tuple[Quote, ...] = ()
    type: str = ""
    """One of the five types of trend, where words speak for it; `trends.records.TrendType`."""
    type_words: tuple[str, ...] = ()
    applies_from: date | None = None
    """Of a rule: the day from which it applies, where the texts say one."""
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenTopic:
    """What was fixed when a topic was first seen, so that nobody can move the goal later."""

    terms: tuple[str, ...]
    since: date
    first_seen: datetime
    noticed_at: datetime
    owners: tuple[str, ...]
    documents: tuple[str, ...]
    """Its documents of that time, the earliest ones: by them it is known again."""
