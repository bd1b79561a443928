"""The pictures of a ladder: a rung's bar on the common scale, who came back, what was needless, the curves over time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from primeta.reactivation.records import Curve
from primeta.show import locale
from primeta.show.interval import Scale, Verdict, scale_of
from primeta.web.reader import Reader

TOP, HEIGHT = 3.0, 87.0
"""Where the plot of the curves stands, in percent of the picture's height."""
LEFT = 5.0
APART = 5.5
"""Two labels stand so far apart at least, in percent of the height."""


def _at(value: float) -> str:
    return f"{round(value, 2):g}%"


def _end(x: float, reach: int = 5) -> str:
    return f'<svg x="{_at(x)}" y="50%"><line class="end" y1="-{reach}" y2="{reach}"/></svg>'


def _image(label: str) -> str:
    return f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'


def _range(first: float, last: float, *, core: bool = False, reach: int = 5) -> str:
    line = f'x1="{_at(first)}" x2="{_at(last)}" y1="50%" y2="50%"'
    hollow = f'<line class="core" {line}/>' if core else ""
    return f'<line class="range" {line}/>{hollow}{_end(first, reach)}{_end(last, reach)}'


def rung_bar(
    value: float,
    low: float,
    high: float,
    *,
    scale: Scale,
    basis: str,
    verdict: Verdict = "unsure",
    label: str = "",
) -> Markup:
    """One arm on one rung: hatched from zero where it is claimed, a disc with its interval where it is measured,
    hollow where a model has a part in it. The control is the zero line."""
    kind = f' data-verdict="{verdict}" data-basis="{basis}"' if basis else ""
    parts = [f'<svg class="iv"{kind} {_image(label)}>']
    for tick in scale.ticks:
        at = _at(scale.at(tick))
        name = "grid" if tick else "zero"
        parts.append(f'<line class="{name}" x1="{at}" x2="{at}" y1="0" y2="100%"/>')
    zero = scale.at(0.0)
    if 0.0 not in scale.ticks:
        parts.append(f'<line class="zero" x1="{_at(zero)}" x2="{_at(zero)}" y1="0" y2="100%"/>')
    if not math.isfinite(value):
        return Markup("".join(parts) + "</svg>")
    at = scale.at(value)
    if basis == "claim":
        parts.append(
            f'<rect class="claim" x="{_at(min(zero, at))}" width="{_at(abs(at - zero))}" y="28%" height="44%"/>'
        )
        return Markup("".join(parts) + "</svg>")
    if math.isfinite(low) and math.isfinite(high):
        parts.append(_range(scale.at(low), scale.at(high), core=basis == "model"))
    radius = 5 if basis else 4
    parts.append(f'<circle class="dot" cx="{_at(at)}" cy="50%" r="{radius}"/>')
    return Markup("".join(parts) + "</svg>")


def money_axis(reader: Reader, scale: Scale) -> Markup:
    """The head of the column: bare numbers, the last one with its unit and currency."""
    size = locale.money_size(max(abs(scale.low), abs(scale.high)))
    digits = _digits(tick / size for tick in scale.ticks)
    words = [reader.number(tick / size, digits if tick else 0) for tick in scale.ticks]
    if scale.ticks:
        words[-1] = reader.money(scale.ticks[-1])
    marks = "".join(
        f'<text x="{_at(scale.at(tick))}" y="80%" text-anchor="middle">{escape(text)}</text>'
        for tick, text in zip(scale.ticks, words, strict=True)
    )
    return Markup(f'<svg class="iv axis-plot" aria-hidden="true">{marks}</svg>')


def _digits(values: Iterable[float]) -> int:
    """Decimals that tell round ticks apart: .5, 1, 1.5 need one."""
    return max(
        (len(f"{value:g}".partition(".")[2]) for value in values if "e" not in f"{value:g}"), default=0
    )


def returned_strip(
    self_share: float, induced: float, low: float, high: float, *, most: float, css: str, label: str
) -> Markup:
    """Grey: came back by themselves; colour: the net share won back, with its interval.

    A negative net share is an outline that the grey lacks.
    """

    def at(share: float) -> float:
        return 100 * min(max(share / most, 0.0), 1.0) if most > 0 else 0.0

    own = at(self_share)
    parts = [f'<svg class="iv" role="img" aria-label="{escape(label)}">']
    parts.append(f'<rect class="self" x="0" y="22%" height="56%" width="{_at(own)}"/>')
    if math.isfinite(induced):
        last = at(self_share + induced)
        first, width = (own + 0.3, max(last - own - 0.3, 0)) if induced >= 0 else (last, own - last)
        name = f"induced-{css}" if induced >= 0 else "driven"
        parts.append(f'<rect class="{name}" x="{_at(first)}" y="22%" height="56%" width="{_at(width)}"/>')
        if math.isfinite(low) and math.isfinite(high):
            parts.append(_range(at(self_share + low), at(self_share + high)))
    return Markup("".join(parts) + "</svg>")


def needless_bar(
    value: float, low: float, high: float, *, bounds: tuple[float, float], total: float, label: str
) -> Markup:
    """Of all that was given (the rail): the needless part with its interval, the bounds hatched."""
    most = max(total, *(end for end in (*bounds, high) if math.isfinite(end)), 0.0) or 1.0

    def at(money: float) -> float:
        return 100 * min(max(money / most, 0.0), 1.0)

    parts = [f'<svg class="iv strip-one" data-basis="measured" role="img" aria-label="{escape(label)}">']
    parts.append(f'<rect class="rail" x="0" width="{_at(at(total))}" y="30%" height="40%"/>')
    if all(math.isfinite(end) for end in bounds):
        first, last = at(bounds[0]), at(bounds[1])
        parts.append(
            f'<rect class="claim" x="{_at(first)}" width="{_at(last - first)}" y="30%" height="40%"/>'
        )
    if math.isfinite(low) and math.isfinite(high):
        parts.append(_range(at(low), at(high), reach=6))
    if math.isfinite(value):
        parts.append(f'<circle class="dot" cx="{_at(at(value))}" cy="50%" r="5"/>')
    return Markup("".join(parts) + "</svg>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A curve with what stands at its line."""

    curve: Curve
    css: str
    """`a`, `b`, `c` or `more`."""
    words: str
    figure: str


def curves_picture(
    reader: Reader, labelled: Sequence[Labelled], *, description: str, zero_words: str
) -> Markup:
    """Cumulative money per assigned against the control: bands of the interval, dashes where a model goes on.

    Coordinates are percentages, so the picture needs no script and stretches with its column.
    """
    every = [entry.curve for entry in labelled]
    last = max(int(curve.day[-1]) for curve in every)
    ends = np.concatenate([part for curve in every for part in (curve.difference, curve.low, curve.high)])
    scale = scale_of([float(value) for value in ends], ticks=6, padding=0.06)
    seen = min((_seen_until(curve) for curve in every), default=last)

    def x(day: float) -> float:
        return 100 * day / last

    def y(value: float) -> float:
        return 100 - scale.at(value)

    def outside(share: float) -> float:
        """From the plot's own percent to the picture's."""
        return TOP + HEIGHT * share / 100

    parts = [f'<svg width="100%" height="340" role="img" aria-label="{escape(description)}">']
    for place, tick in enumerate(scale.ticks):
        at = outside(y(tick))
        name = "grid" if tick else "zero"
        parts.append(f'<line class="{name}" x1="0" x2="100%" y1="{_at(at)}" y2="{_at(at)}"/>')
        words = _tick(reader, tick, scale, last=place == len(scale.ticks) - 1)
        parts.append(f'<text x="0" y="{_at(at - 1.2)}">{escape(words)}</text>')
    lines, bands = [], []
    for entry in labelled:
        curve, known = entry.curve, np.isfinite(entry.curve.difference)
        for modelled in (False, True):
            chosen = known & (curve.modelled == modelled)
            if modelled and chosen.any():
                # The dashes begin where the line that was seen ends.
                first = int(np.flatnonzero(chosen)[0])
                chosen[max(first - 1, 0)] = True
            if chosen.sum() < 2:
                continue
            css = f"c-{entry.css}" + (" model" if modelled else "")
            middle = _path(x, y, curve.day[chosen], curve.difference[chosen])
            lines.append(f'<path class="{css}" d="{middle}"/>')
            bounded = chosen & np.isfinite(curve.low) & np.isfinite(curve.high)
            if bounded.sum() > 1:
                low = _points(x, y, curve.day[bounded], curve.low[bounded])
                high = _points(x, y, curve.day[bounded], curve.high[bounded])
                outline = "L".join([*low, *reversed(high)])
                bands.append(f'<path class="band {css}" d="M{outline}z"/>')
    inner = "".join(bands + lines)
    parts.append(
        f'<svg x="{_at(LEFT)}" y="{_at(TOP)}" width="{_at(100 - LEFT)}" height="{_at(HEIGHT)}" '
        f'viewBox="0 0 100 100" preserveAspectRatio="none">{inner}</svg>'
    )
    edge = LEFT + (100 - LEFT) * seen / last
    if seen < last:
        ahead, behind = str(reader._("modelled")), str(reader._("seen"))
        parts.append(
            f'<line class="grid" x1="{_at(edge)}" x2="{_at(edge)}" y1="0" y2="{_at(TOP + HEIGHT)}"/>'
            f'<text x="{_at(edge)}" dx="6" y="4%">{escape(ahead)}</text>'
            f'<text x="{_at(edge)}" dx="-6" y="4%" text-anchor="end">{escape(behind)}</text>'
        )
    parts += _labels(labelled, edge, seen, outside, y)
    parts.append(
        f'<text x="99.5%" y="{_at(outside(y(0.0)) + 4.4)}" text-anchor="end" class="label c-control">'
        f"<tspan>{escape(zero_words)}</tspan></text>"
    )
    parts += _days(reader, last, seen)
    return Markup("".join(parts) + "</svg>")


def _seen_until(curve: Curve) -> int:
    seen = curve.day[~curve.modelled]
    return int(seen[-1]) if len(seen) else 0


def _tick(reader: Reader, tick: float, scale: Scale, *, last: bool) -> str:
    if not tick:
        return "0"
    if last:
        return reader.money(tick, sign=True)
    return locale.number(
        tick / locale.money_size(max(abs(scale.low), abs(scale.high))), reader.lang, sign=True
    )


def _points(x, y, days, values) -> list[str]:
    return [f"{x(float(day)):.2f} {y(float(value)):.2f}" for day, value in zip(days, values, strict=True)]


def _path(x, y, days, values) -> str:
    return "M" + "L".join(_points(x, y, days, values))


def _labels(labelled: Sequence[Labelled], edge: float, seen: int, outside, y) -> list[str]:
    """Each name at its own line, where what was seen ends; pushed apart where lines meet."""
    places: list[tuple[float, Labelled]] = []
    for entry in labelled:
        chosen = np.flatnonzero((entry.curve.day <= seen) & np.isfinite(entry.curve.difference))
        if len(chosen):
            places.append((outside(y(float(entry.curve.difference[chosen[-1]]))), entry))
    places.sort(key=lambda place: place[0])
    heights = [place[0] for place in places]
    # The upper one of two stands above its line, the lower one below: first apart, then pushed downwards.
    heights = [height + (-2.6 if index < len(heights) / 2 else 4.4) for index, height in enumerate(heights)]
    for first, second in pairwise(range(len(heights))):
        heights[second] = max(heights[second], heights[first] + APART)
    return [
        f'<text x="{_at(edge)}" dx="-8" y="{_at(height)}" text-anchor="end" class="label c-{entry.css}">'
        f"{escape(entry.words)}<tspan> {escape(entry.figure)}</tspan></text>"
        for height, (_, entry) in zip(heights, places, strict=True)
    ]


def _days(reader: Reader, last: int, seen: int) -> list[str]:
    """Weeks below the plot, in days where the whole takes less than six weeks."""
    unit = 7 if last >= 42 else 1
    total = last / unit
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if total / step <= 6)
    ticks = [step * index for index in range(1, int(total / step) + 1)]
    kept = {0.0, total, *((seen / unit,) if seen < last else ())}
    ticks = [tick for tick in ticks if all(abs(tick - other) > step * 0.45 for other in kept)]
    found = []
    for tick in sorted({*kept, *ticks}):
        at = LEFT + (100 - LEFT) * tick / total
        words = reader.number(float(round(tick)))
        if not tick:
            words = str(reader._("week {n}", n=0) if unit == 7 else reader._("day {n}", n=0))
        anchor = "start" if not tick else ("end" if tick == total else "middle")
        found.append(f'<text x="{_at(at)}" y="98%" text-anchor="{anchor}">{escape(words)}</text>')
    return found


def change_bar(
    value: float, low: float, high: float, *, scale: Scale, verdict: Verdict, label: str
) -> Markup:
    """A trait's difference as a share of the control's own figure, cut at the edge of its column."""
    zero = _at(scale.at(0.0))
    parts = [f'<svg class="iv" data-verdict="{verdict}" data-basis="measured" {_image(label)}>']
    parts.append(f'<line class="zero" x1="{zero}" x2="{zero}" y1="0" y2="100%"/>')
    if math.isfinite(low) and math.isfinite(high):
        parts.append(_range(scale.at(low), scale.at(high)))
    if math.isfinite(value):
        parts.append(f'<circle class="dot" cx="{_at(scale.at(value))}" cy="50%" r="5"/>')
    return Markup("".join(parts) + "</svg>")
