"""A signal: one change, seen once, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from primeta.facts import Provenance

Direction = Literal["up", "down"]
Grade = Literal["noticed", "holding", "repeating", "confirmed", "fading", "refuted"]
GRADES: tuple[Grade, ...] = ("noticed", "holding", "repeating", "confirmed", "fading", "refuted")
Origin = Literal["metric", "voice", "outside", "competitor", "regulator", "hand"]
ORIGINS: tuple[Origin, ...] = ("metric", "voice", "outside", "competitor", "regulator", "hand")


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
    """The metric (or, for a hand-logged note, its subject)."""
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
