"""The records of a trend: its card, its evidence, what it is worth and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from primeta.signals.grades import independent_origins
from primeta.signals.signal import Block, Grade, Origin

TrendType = Literal["behavioural", "technological", "regulatory", "socio-cultural", "commercial"]
TREND_TYPES: tuple[TrendType, ...] = (
    "behavioural",
    "technological",
    "regulatory",
    "socio-cultural",
    "commercial",
)
Answer = Literal["experiment", "observe", "prepare", "reject"]
ANSWERS: tuple[Answer, ...] = ("experiment", "observe", "prepare", "reject")
Basis = Literal["measured", "experiments", "computed", "declared", "guess"]
"""Where an input comes from: our facts, past experiments, a formula, the workspace file, a person."""
InputUnit = Literal["share", "money", "relative", "points"]
Outcome = Literal["money", "retention", "arpu", "conversion"]
FILTERS = ("relevance", "economic", "feasibility", "horizon", "compliance")

CARD_FIELDS = (
    "name",
    "description",
    "signal_sources",
    "metrics",
    "hypothesis",
    "experiment_plan",
    "resources",
    "risks",
    "criteria",
    "review",
    "owner",
)
"""The eleven fields of a trend card, always in this order."""
DECOMPOSITION = ("signal", "mechanism", "drivers", "behaviour")
"""A trend taken apart: what was seen, why it would happen, what pushes it, how people will act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What people wrote; the name, sources and metrics are filled from the signals at first."""

    name: str
    description: str = ""
    signal_sources: str = ""
    metrics: tuple[str, ...] = ()
    hypothesis: str = ""
    experiment_plan: str = ""
    resources: str = ""
    risks: str = ""
    criteria: str = ""
    review: date | None = None
    owner: str = ""
    type: TrendType = "behavioural"
    decomposition: dict[str, str] = field(default_factory=dict)
    """Keys of DECOMPOSITION."""

    def missing(self) -> tuple[str, ...]:
        """Fields of the eleven that are still empty."""
        return tuple(name for name in CARD_FIELDS if not getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginEvidence:
    """What one origin saw: its blocks and its whole evidence."""

    origin: Origin
    what: str
    """Codes or words to show: `items_per_order up in age=35-44`, or the note's subject."""
    weeks: tuple[Block, ...] = ()
    months: tuple[Block, ...] = ()
    quarters: tuple[Block, ...] = ()
    e_value: float = 1.0
    grade: Grade = "noticed"
    sources: tuple[str, ...] = ()
    """Independent sources behind it after reposts, near-duplicates and shared owners collapsed."""
    counts: bool = True
    """Whether it has evidence of its own, so that it is a second origin beside another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that speaks for one trend; `grade` follows from it by rule, never by hand."""

    grade: Grade
    since: date | None
    origins: tuple[OriginEvidence, ...]
    weeks: tuple[int, int]
    """(passing, finished) of the last four weeks; 3 of 4 are needed."""
    months: tuple[int, int]
    """of the last three; 2 are needed."""
    quarters: tuple[int, int]
    """of the last two; both are needed."""
    why: tuple[str, ...]
    """Codes of the reasons, read out by `show`."""
    refute: str = ""
    """What would take the grade back, in one sentence's codes."""

    @property
    def independent_origins(self) -> int:
        """Of those that can confirm: a note without a source, by hand, does not; nor does a topic that does not hold."""
        return independent_origins([entry.origin for entry in self.origins if entry.counts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of the scenarios: a triangular or normal spread with its basis."""

    name: str
    value: float
    low: float
    high: float
    """P10 and P90."""
    unit: InputUnit
    basis: Basis
    by: str = ""
    """Who guessed, or where it was measured."""
    at: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """P10, P50, P90 of one outcome a year ahead."""

    outcome: Outcome
    p10: float
    p50: float
    p90: float
    unit: InputUnit
    basis: Basis
    """`guess` as soon as one input is a guess."""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterScore:
    """One of the five filters: a natural value with its unit, a score, a threshold, a reason."""

    name: str
    value: float
    unit: str
    score: float
    """0–100; NaN where it cannot be told."""
    threshold: float
    basis: Basis
    reason: tuple[str, dict[str, object]] = ("", {})
    """A message code and its figures, read out by `show` in ru and en."""

    @property
    def passes(self) -> bool | None:
        return None if self.score != self.score else self.score >= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """A trend weighed: five filters, the scenarios and what went into them."""

    filters: tuple[FilterScore, ...]
    scenarios: tuple[Scenario, ...]
    inputs: tuple[Input, ...]
    chance_of_loss: float
    weighed_at: datetime

    def scenario(self, outcome: str) -> Scenario | None:
        return next((entry for entry in self.scenarios if entry.outcome == outcome), None)

    def filter(self, name: str) -> FilterScore | None:
        return next((entry for entry in self.filters if entry.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One of four answers; append-only: a later one supersedes, nothing is overwritten."""

    trend: str
    answer: Answer
    criteria: str
    due: date
    owner: str
    decided_by: str
    decided_at: datetime
    reason: str = ""

    def days_late(self, today: date) -> int:
        return max(0, (today - self.due).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a trend's history: what happened, who did it, when."""

    at: datetime
    who: str
    """A person, or `primeta`."""
    kind: str
    """`grade`, `signal`, `card`, `decision`, `new`, `review`."""
    what: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Signals that tell one story, with a card."""

    id: str
    card: Card
    evidence: Evidence
    signals: tuple[str, ...]
    """Ids."""
    weighing: Weighing | None
    decisions: tuple[Decision, ...]
    history: tuple[Event, ...]
    version: int
    """Of the card; an edit names the version it was made from."""
    created_at: datetime

    @property
    def decision(self) -> Decision | None:
        return self.decisions[-1] if self.decisions else None
