"""What a metric is: a ratio of two sums over customers in a window, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["money", "share", "count", "score"]
Good = Literal["up", "down", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A sum over rows of one canonical table, per customer and period.

    `sum` is an SQL expression over the table's canonical columns ("revenue", "1"), `where` an
    SQL condition. The built-in measures of `metrics.py` have names instead.
    """

    table: str
    sum: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`numerator / denominator`, both sums over the same customers in the same period."""

    name: str
    numerator: str | Measure
    denominator: str | Measure
    unit: Unit
    good: Good
    smallest_effect: float
    """Relative to what is expected: .02 is 2%. What is smaller is not worth anybody's time."""
    label: dict[str, str] = field(default_factory=dict)
    """`en`, `ru`: the name that people read."""
    maturity_days: int = 0
    """A point is shown once so many days have passed since its period ended (retention)."""
    by_channel: bool = False
    """True where the metric is cut by `messages.channel` too."""

    def label_in(self, language: str) -> str:
        return self.label.get(language) or self.label.get("en") or self.name
