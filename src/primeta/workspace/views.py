"""What the verbs answer: records that pages, the terminal and JSON all read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from primeta.facts import Period
from primeta.signals.note import Note
from primeta.signals.signal import Grade
from primeta.trends.records import Trend
from primeta.warehouse.metric import Metric

Reading = Literal["more", "less", "better", "worse", "usual", "cannot-tell"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceRow:
    """One metric, everybody, last finished week against what was expected."""

    metric: Metric
    value: float
    history: tuple[float, ...]
    """The last 13 weeks, oldest first; NaN where unknown."""
    usual_low: tuple[float, ...]
    usual_high: tuple[float, ...]
    """The band of what was expected in those weeks."""
    relative: float
    """(observed − expected) / expected, with its 95% interval."""
    low: float
    high: float
    reading: Reading
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A grade that moved in the last watched week."""

    at: datetime
    name: str
    was: Grade | None
    now: Grade
    origins: int
    trend: str | None = None
    signal: str | None = None
    note: tuple[str, dict[str, object]] = ("", {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The Today page: what waits, what is late, the week, what changed."""

    today: date
    week: Period | None
    """The last finished and watched week; None before the first watch."""
    seen_until: datetime | None
    waiting: tuple[Trend, ...]
    """Holding or better and without a decision, most money at stake first."""
    overdue: tuple[Trend, ...]
    deciding_days: dict[str, int]
    """Trend → days that it has waited."""
    glance: tuple[GlanceRow, ...]
    changes: tuple[Change, ...]
    watched: int
    """Series (metric × slice) that the last watch looked at."""
    reported: int
    """Of them holding or better now."""
    false_share: float
    """At most so much of what is reported is expected to be false."""
    notes: tuple[Note, ...]
    """Logged by hand in the last seven days."""
    facts_problem: str = ""
    """A message code when the last watch failed or facts have stopped coming."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesView:
    """One series with what was expected of it; arrays are (T,), NaN where unknown."""

    metric: Metric
    slice: str
    grain: str
    starts: npt.NDArray[np.datetime64]
    observed: Floats
    se: Floats
    customers: Floats
    numerator: Floats
    expected: Floats
    low: Floats
    high: Floats
    """95% band of what was expected."""
    since: date | None = None
    first_seen: date | None = None
    why_not: str = ""
    """Why there is no expectation, where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    """One metric as the list of metrics shows it."""

    metric: Metric
    value: float
    """Last finished week, everybody; NaN where unknown."""
    se: float
    slices: int
    signals: int
    why_not: str = ""
    """Why it cannot be measured here: which table or column is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work over a second, started from a page."""

    id: str
    kind: str
    state: JobState
    done: int = 0
    total: int = 0
    message: str = ""
    created_at: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)
