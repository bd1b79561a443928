"""Small pictures as plain SVG strings: interval, evidence cell, spark line, score.

Coordinates are percentages, so a picture stretches with its column; colours come from the page's
classes. Every picture carries its numbers in `aria-label`, or is hidden beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Verdict = Literal["gain", "loss", "unsure"]
DIAMOND = "M0-6 6 0 0 6-6 0z"
SMALLEST_SPAN = 1e-200


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale of a column: its ends and the ticks in its head."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value stands, in percent of the width, kept inside."""
        if self.high == self.low:
            return 50.0
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def scale_of(values: Sequence[float], *, ticks: int = 5, padding: float = 0.04) -> Scale:
    """A scale that holds zero and every finite value, with round ticks."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    if high - low < SMALLEST_SPAN:
        return Scale(-1.0, 1.0, (0.0,))
    step = _round_step((high - low) / ticks)
    first, last = math.ceil(low / step), math.floor(high / step)
    marks = tuple(rounded(step * index) for index in range(first, last + 1))
    room = (high - low) * padding
    return Scale(low - room, high + room, marks)


def rounded(value: float) -> float:
    """Without the dust of binary fractions: .30000000000000004 is .3."""
    return float(f"{value:.12g}")


def _round_step(step: float) -> float:
    power = 10 ** math.floor(math.log10(step))
    return next(power * nice for nice in (1, 2, 5, 10) if power * nice >= step * 0.999)


def verdict_of(low: float, high: float, *, up_is_bad: bool = False) -> Verdict:
    """Blue for good, vermilion for bad, grey where zero is inside or nothing is known."""
    if not (math.isfinite(low) and math.isfinite(high)) or low <= 0 <= high:
        return "unsure"
    return "gain" if (low > 0) != up_is_bad else "loss"


def _percent(value: float) -> str:
    return f"{value:g}%"


def _end(x: float) -> str:
    return f'<svg x="{_percent(x)}" y="50%"><line class="end" y1="-5" y2="5"/></svg>'


def _image(label: str) -> str:
    return f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'


def iv(
    value: float,
    low: float,
    high: float,
    *,
    scale: Scale,
    verdict: Verdict = "unsure",
    basis: str = "measured",
    label: str = "",
    matters: float = 0.0,
    marks: Sequence[float] = (),
    outer: tuple[float, float] = (math.nan, math.nan),
) -> str:
    """The interval bar: line and disc for what is measured, hollow for a model, dashes for a guess.

    Args:
        label: Text with the numbers for a screen reader; empty hides a picture whose numbers stand
            beside it.
        matters: The smallest effect that matters, drawn as dashed lines either side of zero.
        marks: Dashed lines where they stand: a smallest effect that has a direction, a margin.
        outer: A wider interval, drawn thin: the one that holds at every look.
    """
    drawn = {"guess": "guess", "model": "model", "computed": "model", "claim": "claim"}.get(basis, "measured")
    parts = [f'<svg class="iv" data-verdict="{verdict}" data-basis="{drawn}" {_image(label)}>']
    for mark in (*((-matters, matters) if matters else ()), *marks):
        if scale.low <= mark <= scale.high:
            at = _percent(scale.at(mark))
            parts.append(f'<line class="matters" x1="{at}" x2="{at}" y1="0" y2="100%"/>')
    zero = _percent(scale.at(0.0))
    parts.append(f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="100%"/>')
    if math.isfinite(outer[0]) and math.isfinite(outer[1]):
        first, last = (_percent(scale.at(end)) for end in outer)
        parts.append(f'<line class="outer" x1="{first}" x2="{last}" y1="50%" y2="50%"/>')
    if math.isfinite(low) and math.isfinite(high):
        first, last = scale.at(low), scale.at(high)
        line = f'x1="{_percent(first)}" x2="{_percent(last)}" y1="50%" y2="50%"'
        parts.append(f'<line class="range" {line}/>')
        if drawn == "model":
            parts.append(f'<line class="core" {line}/>')
        parts += [_end(first), _end(last)]
    if math.isfinite(value):
        at = _percent(scale.at(value))
        if drawn == "guess":
            parts.append(f'<svg x="{at}" y="50%"><path class="dot" d="{DIAMOND}"/></svg>')
        else:
            parts.append(f'<circle class="dot" cx="{at}" cy="50%" r="5"/>')
    return "".join(parts) + "</svg>"


def axis(scale: Scale, labels: Sequence[str]) -> str:
    """The head of a column of intervals: its ticks as words; hidden, the numbers stand in the rows."""
    marks = "".join(
        f'<text x="{_percent(scale.at(tick))}" y="80%" text-anchor="middle">{escape(text)}</text>'
        for tick, text in zip(scale.ticks, labels, strict=True)
    )
    return f'<svg class="iv axis-plot" aria-hidden="true">{marks}</svg>'


def cell(effect: float, low: float, high: float, *, reach: tuple[float, float], matters: float) -> str:
    """The picture of one evidence cell: effect upwards, zero line, dashed smallest effect."""
    bottom, top = reach

    def y(value: float) -> str:
        share = (value - bottom) / (top - bottom) if top > bottom else 0.5
        return f"{round(95 - 90 * min(max(share, 0.0), 1.0), 1):g}%"

    parts = ['<svg aria-hidden="true">']
    for name, value in (("zero", 0.0), ("matters", matters)):
        if bottom <= value <= top:
            parts.append(f'<line class="{name}" x1="12%" x2="88%" y1="{y(value)}" y2="{y(value)}"/>')
    if math.isfinite(low) and math.isfinite(high):
        parts.append(f'<line class="range" x1="50%" x2="50%" y1="{y(low)}" y2="{y(high)}"/>')
    if math.isfinite(effect):
        parts.append(f'<circle class="dot" cx="50%" cy="{y(effect)}" r="3.5"/>')
    return "".join(parts) + "</svg>"


def spark(values: Sequence[float], low: Sequence[float] = (), high: Sequence[float] = ()) -> str:
    """Thirteen weeks as a line over the band of the usual; hidden, its numbers stand in the row."""
    known = [value for value in (*values, *low, *high) if math.isfinite(value)]
    if len(known) < 2 or len(values) < 2:
        return '<svg class="spark" aria-hidden="true"></svg>'
    bottom, top = min(known), max(known)

    def x(index: int) -> str:
        return f"{100 * index / (len(values) - 1):.1f}"

    def y(value: float) -> str:
        return f"{26 - 24 * (value - bottom) / (top - bottom):.1f}" if top > bottom else "14.0"

    band = ""
    upper = [(x(i), y(v)) for i, v in enumerate(high) if math.isfinite(v)]
    lower = [(x(i), y(v)) for i, v in enumerate(low) if math.isfinite(v)]
    if upper and lower:
        outline = " L".join(f"{a} {b}" for a, b in (*upper, *reversed(lower)))
        band = f'<path class="band" d="M{outline}z"/>'
    path, pen = "", "M"
    for index, value in enumerate(values):
        if not math.isfinite(value):
            pen = "M"
            continue
        path += f"{pen}{x(index)} {y(value)} "
        pen = "L"
    return (
        '<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        f'{band}<path class="line" d="{path.strip()}"/></svg>'
    )


def score(value: float, threshold: float, *, label: str) -> str:
    """A filter's score on a rail to 100, with a tick where the threshold stands."""
    got = ""
    if math.isfinite(value):
        got = f'<line class="got" x1="0" x2="{min(max(value, 0), 100):g}%" y1="50%" y2="50%"/>'
    at = f"{threshold:g}%"
    return (
        f'<svg class="score" {_image(label)}><line class="rail" x1="0" x2="100%" y1="50%" y2="50%"/>'
        f'{got}<line class="bar" x1="{at}" x2="{at}" y1="0" y2="100%"/></svg>'
    )


def rings(origins: int) -> str:
    """One ring for one origin, linked rings for more: nobody copied anybody."""
    if origins < 2:
        return '<svg aria-hidden="true" viewBox="0 0 12 12"><circle cx="6" cy="6" r="5"/></svg>'
    shown = min(origins, 4)
    width = 12 + 6 * (shown - 1)
    both = "".join(f"M{9 + 6 * i} 2a5 5 0 0 1 0 8 5 5 0 0 1 0-8z" for i in range(shown - 1))
    circles = "".join(f'<circle cx="{6 + 6 * i}" cy="6" r="5"/>' for i in range(shown))
    return f'<svg aria-hidden="true" viewBox="0 0 {width} 12"><path class="both" d="{both}"/>{circles}</svg>'
