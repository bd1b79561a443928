"""The course of one customer's credit on one channel as a small drawing: line, 95% band, broken promises."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from markupsafe import Markup, escape

from primeta.attention.credit_history import CreditPoint

WIDTH, HEIGHT = 600.0, 120.0


def ceiling_of(points: Iterable[CreditPoint]) -> float:
    """The end of the scale that all channels share: the next round share above every interval."""
    largest = max((point.high for point in points if math.isfinite(point.high)), default=0.0)
    return next((end for end in (0.05, 0.1, 0.25, 0.5, 0.75) if largest <= end), 1.0)


def course_picture(
    points: Sequence[CreditPoint],
    *,
    first: datetime,
    last: datetime,
    top: float,
    broken: Sequence[datetime],
    label: str,
) -> Markup:
    """Inline SVG; it stretches, so that every word stands beside it.

    Args:
        first, last: Ends of the time axis.
        top: End of the scale.
        broken: When promises were broken.
        label: What it shows, with its numbers.
    """
    span = max((last - first).total_seconds(), 1.0)

    def x_of(at: datetime) -> float:
        return round(WIDTH * min(max((at - first).total_seconds() / span, 0.0), 1.0), 1)

    def y_of(value: float) -> float:
        return round(HEIGHT * (1 - min(max(value / top, 0.0), 1.0)), 1)

    known = [point for point in points if math.isfinite(point.value)]
    upper = [f"{x_of(point.at)} {y_of(point.high)}" for point in known]
    lower = [f"{x_of(point.at)} {y_of(point.low)}" for point in reversed(known)]
    line = [f"{x_of(point.at)} {y_of(point.value)}" for point in known]
    marks = "".join(
        f'<path class="broke" d="M{x_of(at)} 0V{HEIGHT}"/>' for at in broken if first <= at <= last
    )
    return Markup(
        f'<svg class="course" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}"><path class="grid" d="M0 0H{WIDTH}M0 {HEIGHT / 2}H{WIDTH}"/>'
        f'<path class="grid base" d="M0 {HEIGHT}H{WIDTH}"/>'
        f'<path class="band" d="M{"L".join([*upper, *lower])}Z"/><path class="line" d="M{"L".join(line)}"/>{marks}</svg>'
    )
