"""A signal: one change, seen once, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from primeta.facts import Provenance

Direction = Literal["up", "down"]
Grade = Literal["noticed", "holding", "repeating", "confirmed", "fading", "refuted"]
GRADES: tuple[Grade, ...] = ("noticed", "holding", "repeating", "confirmed", "fading", "refuted")
Origin = Literal["metric", "attention", "voice", "outside", "competitor", "regulator", "hand"]
ORIGINS: tuple[Origin, ...] = ("metric", "attention", "voice", "outside", "competitor", "regulator", "hand")
MEASURED: tuple[Origin, ...] = ("metric", "attention")
"""Origins that are counted from the facts: what the company's own customers did."""
TOPIC = "topic:"
"""Begins what a topic's signal is about; no metric has a colon in its name."""
TEXTS = "texts"
"""The slice of a topic's signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One week, month or quarter after first sight: does it go beyond the smallest effect?"""

    code: str
    """`2026-W46`, `2026-11`, `2026-Q4`."""
    effect: float
    """Relative to expected, in the direction of change: +.03 is 3% further."""
    low: float
    high: float
    e_value: float
    """Against "beyond the smallest effect is not true"; 1 says nothing either way."""
    passes: bool
    finished: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What was fixed at first sight, so that nobody can move the goal later."""

    about: str
    """The metric; of a topic, `topic:` and its words at first sight; of a hand-logged note, its subject."""
    slice: str
    direction: Direction
    since: date
    """Onset: the first day of the first changed period."""
    smallest_effect: float
    first_seen: datetime
    """The time up to which facts were seen when it was noticed."""
    expected: float
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A frozen first sight and the evidence as it stands now."""

    id: str
    frozen: Frozen
    observed: float
    expected: float
    low: float
    high: float
    """Interval of the change observed − expected since the onset, in the metric's unit."""
    e_value: float
    """Running maximum since the start of the promise year, adjusted for having looked often."""
    grade: Grade
    halves: tuple[float, float] = (float("nan"), float("nan"))
    """The change in each half of the customers, in the metric's unit; a diagnostic."""
    weeks: tuple[Block, ...] = ()
    months: tuple[Block, ...] = ()
    quarters: tuple[Block, ...] = ()
    why: tuple[str, ...] = ()
    """Codes of the reasons for the grade, read out by `show`."""
    why_not: str = ""
    provenance: Provenance | None = None
    topic: str = ""
    """Id of the topic that it is one side of; empty where a metric moved."""
    owners: tuple[str, ...] = ()
    """Of a topic: independent owners who speak of it, the earliest first."""
    links: tuple[str, ...] = ()
    """Of a topic: where its stories stand and what they cite; a note with one of these links repeats it."""
    second_owner: float = 1.0
    """Of a topic: e-value against "at most one of its owners speaks more of it"."""

    @property
    def words(self) -> str:
        """A topic's words at first sight; empty where a metric moved."""
        about = self.frozen.about
        return about.removeprefix(TOPIC) if about.startswith(TOPIC) else ""
