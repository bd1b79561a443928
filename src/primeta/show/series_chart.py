"""A metric over time over the band of what was expected: the one chart of a signal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import Scale, rounded
from primeta.show.messages import say
from primeta.show.palette import Theme, colour

HEIGHT = 240
PHONE_BELOW = 500
LETTER = 8.0
"""Pixels that a letter of a label takes, for the room beside the lines."""
LABEL_GAP = 17
LABEL_REACH = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What is drawn, before a theme and a width are known."""

    starts: tuple[date, ...]
    observed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    marks: tuple[tuple[date, str], ...]
    lang: str
    unit: locale.Unit
    currency: str

    def written(self, value: float, step: float = math.nan) -> str:
        """A value in the metric's unit; `step` between ticks sets the digits."""
        if self.unit == "money":
            size = locale.money_size(value)
            digits = _decimals_of(step / size)
            return locale.money(value, self.lang, self.currency, digits=digits)
        if self.unit in ("share", "relative", "points"):
            return locale.percent(value, self.lang, digits=_decimals_of(step * 100))
        return locale.number(value, self.lang, digits=_decimals_of(step))


def series_picture(
    starts: Sequence[date],
    observed: Sequence[float],
    lang: str,
    *,
    title: str,
    subtitle: str,
    source: str,
    unit: locale.Unit,
    currency: str = "",
    low: Sequence[float] = (),
    high: Sequence[float] = (),
    since: date | None = None,
    first_seen: date | None = None,
) -> Picture:
    """A metric over time over the band of what was expected, with the onset marked.

    Args:
        starts: First days of the periods, oldest first.
        observed, low, high: (T,) in the metric's unit; NaN where unknown; no band where empty.
        since: First day of the changed stretch.
        first_seen: The day on which it was noticed.
    """
    marks = [
        (day, word) for day, word in ((since, say(lang, "since")), (first_seen, say(lang, "noticed"))) if day
    ]
    if len(marks) == 2 and marks[0][0] == marks[1][0]:
        marks = marks[:1]
    drawn = _Drawn(
        starts=tuple(starts),
        observed=tuple(float(value) for value in observed),
        low=tuple(float(value) for value in low),
        high=tuple(float(value) for value in high),
        marks=tuple((day, word) for day, word in marks if starts and starts[0] <= day <= starts[-1]),
        lang=lang,
        unit=unit,
        currency=currency,
    )
    known = [
        (day, value) for day, value in zip(drawn.starts, drawn.observed, strict=True) if math.isfinite(value)
    ]
    description = title
    if known:
        (first_day, first), (last_day, last) = known[0], known[-1]
        description = say(
            lang,
            "{title}. From {first} on {first_day:date} to {last} on {last_day:date}.",
            title=title.rstrip("."),
            first=drawn.written(first),
            first_day=first_day,
            last=drawn.written(last),
            last_day=last_day,
        )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(drawn, theme, width)

    return Picture(title=title, subtitle=subtitle, source=source, description=description, draw=draw)


@lru_cache(maxsize=256)
def _specification(drawn: _Drawn, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    phone = width < PHONE_BELOW
    pairs = [
        (day, low, high)
        for day, low, high in zip(drawn.starts, drawn.low, drawn.high, strict=False)
        if math.isfinite(low) and math.isfinite(high)
    ]
    values = [value for value in drawn.observed if math.isfinite(value)]
    values += [bound for _, low, high in pairs for bound in (low, high)]
    scale = round_scale(values or [0.0, 1.0], ticks=3 if phone else 4)
    step = scale.ticks[1] - scale.ticks[0] if len(scale.ticks) > 1 else scale.high - scale.low
    names = say(drawn.lang, "observed"), say(drawn.lang, "expected")
    left = 46.0 if phone else 58.0
    right = width - max(len(name) for name in names) * LETTER - 12
    span = (drawn.starts[-1] - drawn.starts[0]).days or 1 if drawn.starts else 1

    def x_of(day: date) -> float:
        return round(left + (right - left) * (day - drawn.starts[0]).days / span, 2)

    def y_of(value: float) -> float | None:
        if not math.isfinite(value):
            return None
        return round(HEIGHT * (scale.high - value) / (scale.high - scale.low), 2)

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    # Positions are computed here, in pixels: Vega only draws, so words stand where we put them.
    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    text = alt.Text("label:N")
    ticks = rows([{"y": y_of(tick), "label": drawn.written(tick, step)} for tick in scale.ticks])
    days = rows(
        [
            {"x": x_of(day), "label": locale.day_short(day, drawn.lang)}
            for day in _spread(drawn.starts, 4 if phone else 6)
        ]
    )
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        days.mark_text(align="center", baseline="top", dy=9).encode(x=x, y=alt.value(HEIGHT), text=text),
    ]
    if pairs:
        band = rows([{"x": x_of(day), "y": y_of(low), "y2": y_of(high)} for day, low, high in pairs])
        layers.append(band.mark_area(color=quiet, opacity=0.16).encode(x=x, y=y, y2="y2:Q"))
    for index, (day, word) in enumerate(drawn.marks):
        # Two marks: the first one's word stands before its line, out of the way of the second.
        late = x_of(day) > right - 110 or (len(drawn.marks) == 2 and index == 0 and x_of(day) > left + 110)
        mark = rows([{"x": x_of(day), "label": f"{word} {locale.day_short(day, drawn.lang)}"}])
        at = mark.mark_rule(color=ink, strokeDash=[2, 3])
        layers.append(at.encode(x=x, y=alt.value(0), y2=alt.value(HEIGHT)))
        side = "right" if late else "left"
        # Words stand at the end of the line that the series leaves free.
        low_here = any(
            abs(x_of(other) - x_of(day)) < LABEL_REACH and (y_of(value) or 0) > HEIGHT * 0.72
            for other, value in zip(drawn.starts, drawn.observed, strict=True)
        )
        # Two words close together stand one under the other.
        close = index == 1 and not late and x_of(day) - x_of(drawn.marks[0][0]) < LABEL_REACH
        height = 12 + 17 * close if low_here else HEIGHT - 4 - 17 * close
        label = mark.mark_text(align=side, baseline="bottom", dx=-5 if late else 5, fontSize=13, color=ink)
        layers.append(label.encode(x=x, y=alt.value(height), text=text))
    stretches = _stretches(drawn)
    points = [
        {
            "x": x_of(day),
            "y": y_of(value),
            "stretch": number,
            "label": f"{locale.day(day, drawn.lang)}: {drawn.written(value)}",
        }
        for number, stretch in enumerate(stretches)
        for day, value in stretch
    ]
    # A gap stays a gap: each stretch of known points is a line of its own.
    line = rows(points).mark_line(color=ink, strokeWidth=2.25, strokeJoin="round")
    layers.append(line.encode(x=x, y=y, detail="stretch:N", order=alt.Order("x:Q")))
    if points:
        hidden = rows(points).mark_circle(color=ink, size=200, opacity=0)
        layers.append(hidden.encode(x=x, y=y, tooltip="label:N"))
        alone = {number for number, stretch in enumerate(stretches) if len(stretch) == 1}
        shown = [point for point in points if len(points) < 9 or point["stretch"] in alone]
        layers.append(rows(shown).mark_circle(color=ink, size=36, opacity=1).encode(x=x, y=y))
        layers += [
            rows([{"x": right, "y": height, "label": name}])
            .mark_text(align="left", baseline="middle", dx=8, fontSize=13, fontWeight=600, color=shade)
            .encode(x=x, y=y, text=text)
            for name, shade, height in _line_labels(points[-1]["y"], pairs, y_of, names, (ink, quiet))
        ]
    chart = alt.layer(*layers).properties(width=width, height=HEIGHT)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }


def _stretches(drawn: _Drawn) -> list[list[tuple[date, float]]]:
    """Known points, broken where one is unknown."""
    found: list[list[tuple[date, float]]] = []
    open_stretch = False
    for day, value in zip(drawn.starts, drawn.observed, strict=True):
        if not math.isfinite(value):
            open_stretch = False
            continue
        if not open_stretch:
            found.append([])
            open_stretch = True
        found[-1].append((day, value))
    return found


def _line_labels(
    observed: float,
    pairs: list[tuple[date, float, float]],
    y_of: Callable[[float], float | None],
    names: tuple[str, str],
    shades: tuple[str, str],
) -> list[tuple[str, str, float]]:
    """Labels at the ends of the line and of the band, moved apart where they would touch."""
    if not pairs:
        return []
    middle = y_of((pairs[-1][1] + pairs[-1][2]) / 2)
    if middle is None:
        return [(names[0], shades[0], observed)]
    first, second = observed, middle
    if abs(first - second) < LABEL_GAP:
        centre, half = (first + second) / 2, LABEL_GAP / 2 if first >= second else -LABEL_GAP / 2
        first, second = centre + half, centre - half
    shift = max(8 - min(first, second), 0) - max(max(first, second) - HEIGHT + 8, 0)
    return [(names[0], shades[0], first + shift), (names[1], shades[1], second + shift)]


def round_scale(values: Sequence[float], *, ticks: int) -> Scale:
    """A scale with round ticks that holds every value; zero is not forced in."""
    low, high = min(values), max(values)
    if low == high:
        room = abs(low) * 0.1 or 1.0
        low, high = low - room, high + room
    raw = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    room = (high - low) * 0.06
    marks = tuple(rounded(step * index) for index in range(first, last + 1))
    return Scale(low - room, high + room, marks)


def _decimals_of(step: float) -> int | None:
    """Decimals that a step between ticks needs; None where there is no step."""
    if not math.isfinite(step):
        return None
    return next((digits for digits in range(7) if math.isclose(round(step, digits), step, rel_tol=1e-6)), 7)


def _spread(starts: Sequence[date], count: int) -> list[date]:
    """So many dates at even distances, the first and the last among them."""
    if len(starts) <= count:
        return list(starts)
    step = (len(starts) - 1) / (count - 1)
    return [starts[round(index * step)] for index in range(count)]
