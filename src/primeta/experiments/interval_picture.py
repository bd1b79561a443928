"""The difference over the looks of a running test: two bands that narrow, zero, and the smallest effect that matters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import Scale
from primeta.show.messages import say
from primeta.show.palette import Theme, colour
from primeta.show.series_chart import round_scale

HEIGHT = 260
PANEL, GAP = 150, 22
"""Pixels: with several arms each has its own panel, since bands that lie over each other cannot be told apart."""
LETTER = 7.0
"""Pixels that a letter of a label takes."""
MOST_DOTS = 9
"""With more looks than that the line alone is drawn; a pointer still finds each look."""
PHONE_BELOW = 500
WIDEST = 2.0
"""The first looks know little: what goes beyond so many times the last band is cut, or the rest would lie flat."""
TOKENS = ("arm-a", "arm-b", "arm-c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one look knew of one arm's difference to the control; NaN where it could not tell."""

    day: date
    difference: float
    low: float
    high: float
    """For one look at a planned end."""
    outer_low: float
    outer_high: float
    """Valid at every look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One arm over the looks, oldest first."""

    letter: str
    points: tuple[Point, ...]

    @property
    def known(self) -> tuple[Point, ...]:
        return tuple(
            point
            for point in self.points
            if all(map(math.isfinite, (point.difference, point.low, point.high)))
        )


def interval_picture(
    courses: Sequence[Course],
    lang: str,
    *,
    title: str,
    subtitle: str,
    source: str,
    written: Callable[[float], str],
    matters: float = math.nan,
    until: date | None = None,
) -> Picture:
    """The bands of all arms on one scale, each with its letter at the end of its line.

    Args:
        written: A difference as text, with its sign and unit.
        matters: The smallest effect that matters, in the unit of the difference; NaN: none.
        until: The planned last day, which closes the axis; the last look's where it is later.
    """
    known = [course for course in courses if course.known]
    described = "; ".join(
        say(
            lang,
            "{letter}: {value}, from {low} to {high} on {day:date}",
            letter=course.letter,
            value=written(course.known[-1].difference),
            low=written(_ends(course.known[-1])[0]),
            high=written(_ends(course.known[-1])[1]),
            day=course.known[-1].day,
        )
        for course in known
    )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(known, lang, written, matters, until, theme, width)

    return Picture(
        title=title, subtitle=subtitle, source=source, description=f"{title} {described}", draw=draw
    )


def _ends(point: Point) -> tuple[float, float]:
    """The wider interval that is known."""
    if math.isfinite(point.outer_low) and math.isfinite(point.outer_high):
        return point.outer_low, point.outer_high
    return point.low, point.high


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where things stand, in pixels: one panel an arm, one under the other, with one scale."""

    scale: Scale
    first: date
    last: date
    left: float
    right: float
    panel: float

    def x(self, day: date) -> float:
        span = (self.last - self.first).days or 1
        return round(self.left + (self.right - self.left) * (day - self.first).days / span, 2)

    def y(self, value: float, place: int) -> float:
        inside = min(max(value, self.scale.low), self.scale.high)
        within = self.panel * (self.scale.high - inside) / (self.scale.high - self.scale.low)
        return round(place * (self.panel + GAP) + within, 2)

    def height(self, panels: int) -> float:
        return panels * self.panel + (panels - 1) * GAP


def _frame(
    courses: Sequence[Course], *, matters: float, until: date | None, phone: bool, width: int
) -> _Frame:
    marks = [0.0, *([matters] if math.isfinite(matters) else [])]
    last_ends = [end for course in courses for end in _ends(course.known[-1])]
    reach = WIDEST * max((abs(end) for end in [*last_ends, *marks]), default=1.0) or 1.0
    ends = [end for course in courses for point in course.known for end in _ends(point)]
    days = [point.day for course in courses for point in course.known]
    return _Frame(
        scale=round_scale([*marks, *(min(max(end, -reach), reach) for end in ends)], ticks=4),
        first=min(days),
        last=max([*days, *([until] if until else [])]),
        left=52.0 if phone else 70.0,
        right=width - (78.0 if phone else 92.0),
        panel=HEIGHT if len(courses) == 1 else PANEL,
    )


def _specification(
    courses: Sequence[Course],
    lang: str,
    written: Callable[[float], str],
    matters: float,
    until: date | None,
    theme: Theme,
    width: int,
) -> dict[str, Any]:
    import altair as alt

    phone = width < PHONE_BELOW
    frame = _frame(courses, matters=matters, until=until, phone=phone, width=width)
    height = frame.height(len(courses))
    x, text = alt.X("x:Q").scale(None), alt.Text("label:N")
    along = sorted(
        {frame.first, frame.last, *(frame.first + (frame.last - frame.first) * step / 3 for step in (1, 2))}
    )
    dates = _rows([{"x": frame.x(day), "label": locale.day_short(day, lang)} for day in along])
    layers = [
        dates.mark_text(align="center", baseline="top", dy=9).encode(x=x, y=alt.value(height), text=text)
    ]
    for place, course in enumerate(courses):
        layers += _panel(
            course, place, frame, lang=lang, written=written, matters=matters, theme=theme, width=width
        )
    chart = alt.layer(*layers).properties(width=width, height=height)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }


def _rows(entries: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Chart(alt.InlineData(values=entries))


def _panel(
    course: Course,
    place: int,
    frame: _Frame,
    *,
    lang: str,
    written: Callable[[float], str],
    matters: float,
    theme: Theme,
    width: int,
) -> list[Any]:
    """One arm: ticks, zero, the smallest effect, two bands, the line and its label."""
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    shade = colour(TOKENS[place % len(TOKENS)], theme)
    # As in show.series_chart, positions are pixels that we compute: words stand where we put them.
    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    across = {"x": alt.value(frame.left), "x2": alt.value(width)}
    ticks = _rows(
        [{"y": frame.y(tick, place), "label": written(tick) if tick else "0"} for tick in frame.scale.ticks]
    )
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        _rows([{"y": frame.y(0.0, place)}]).mark_rule(color=ink, strokeWidth=1.5).encode(y=y, **across),
    ]
    points = list(course.known)
    for ends, opacity in ((_ends, 0.14), (lambda point: (point.low, point.high), 0.2)):
        band = _rows(
            [
                {
                    "x": frame.x(point.day),
                    "y": frame.y(ends(point)[0], place),
                    "y2": frame.y(ends(point)[1], place),
                }
                for point in points
            ]
        )
        # One look has no area: its interval is a bar.
        mark = (
            band.mark_area(color=shade, opacity=opacity)
            if len(points) > 1
            else band.mark_rule(color=shade, strokeWidth=12, opacity=2 * opacity)
        )
        layers.append(mark.encode(x=x, y=y, y2="y2:Q"))
    if math.isfinite(matters) and matters:
        line = _rows(
            [{"y": frame.y(matters, place), "x": width, "label": say(lang, "smallest effect that matters")}]
        )
        layers.append(line.mark_rule(color=quiet, strokeDash=[2, 3]).encode(y=y, **across))
        if place == 0:
            # To the right of the bands; where they leave no room there, before them.
            late = frame.x(points[-1].day) > width - LETTER * len(say(lang, "smallest effect that matters"))
            layers.append(
                _words(line, "left" if late else "right", matters, quiet, frame.left if late else width)
            )
    line = _rows(
        [
            {
                "x": frame.x(point.day),
                "y": frame.y(point.difference, place),
                "label": f"{course.letter}, {locale.day(point.day, lang)}: {written(point.difference)}",
            }
            for point in points
        ]
    )
    layers.append(
        line.mark_line(color=shade, strokeWidth=2.25, strokeJoin="round").encode(
            x=x, y=y, order=alt.Order("x:Q")
        )
    )
    few = len(points) < MOST_DOTS
    dots = line.mark_circle(color=shade, size=46 if few else 200, opacity=1 if few else 0)
    layers.append(dots.encode(x=x, y=y, tooltip="label:N"))
    last = points[-1]
    height = frame.y(last.difference, place)
    name = _rows(
        [{"x": frame.x(last.day), "y": height, "label": f"{course.letter} {written(last.difference)}"}]
    )
    # A halo of paper under the label keeps it readable over the lines beside it.
    halo = {"stroke": colour("paper", theme), "strokeWidth": 4, "strokeJoin": "round"}
    for more in (halo, {}):
        label = name.mark_text(
            align="left", baseline="middle", dx=8, fontSize=13, fontWeight=600, color=shade, **more
        )
        layers.append(label.encode(x=x, y=y, text=text))
    return layers


def _words(line: Any, side: str, matters: float, shade: str, at: float) -> Any:
    import altair as alt

    up = matters > 0
    words = line.mark_text(
        align=side,
        baseline="bottom" if up else "top",
        dx=4 if side == "left" else 0,
        dy=-4 if up else 4,
        color=shade,
    )
    return words.encode(x=alt.value(at), y=alt.Y("y:Q").scale(None), text=alt.Text("label:N"))
