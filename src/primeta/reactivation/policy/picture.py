"""The picture of a policy: what each action is worth, with its interval, zero first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from primeta.reactivation.money_curve import framed, labels_below, marks, money_axis, money_tick
from primeta.reactivation.policy import words
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.interval import scale_of, verdict_of
from primeta.show.palette import Theme, colour

if TYPE_CHECKING:
    from primeta.reactivation.policy.result import Point, PolicyResult

ROW = 34
PHONE_BELOW = 500
MOST_ROWS = 24


def policy_picture(result: PolicyResult, lang: str) -> Picture:
    """A curve over days for the moment; one row an action for sequences and discounts."""
    title = result.line(lang)
    shown = [point for point in result.curve if math.isfinite(point.value) and math.isfinite(point.low)]
    if result.kind == "moment":
        shown = [point for point in shown if point.by is None]
    shown = shown[: 400 if result.kind == "moment" else MOST_ROWS]
    told = [point for point in shown if point.tried]
    described = "; ".join(f"{_name(result, p, lang)}: {_money(result, p, lang)}" for p in told)

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        if result.kind == "moment":
            return _curve(result, shown, lang, theme, width)
        return _rows(result, shown, lang, theme, width)

    return Picture(
        title=title,
        subtitle=words.subtitle(result, lang),
        source="",
        description=f"{title} {described}".strip(),
        draw=draw,
    )


def _name(result: PolicyResult, point: Point, lang: str) -> str:
    action = words.action(result.kind, point.x, lang)
    return action if point.by is None else f"{words.part(point.by, lang)}, {action}"


def _day(point: Point) -> float:
    """Of a moment: every point of its curve stands at a day."""
    return float(point.x) if isinstance(point.x, int | float) else 0.0


def _money(result: PolicyResult, point: Point, lang: str) -> str:
    return result.money(point.value, lang, point.low, point.high)


def _tick(result: PolicyResult, value: float, lang: str) -> str:
    return money_tick(value, lang, result.currency, sign=result.basis == "over-control")


def _curve(result: PolicyResult, points: list[Point], lang: str, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    tone = colour("gain", theme)
    days = [_day(p) for p in points]
    first, last = (min(days), max(days)) if days else (0.0, 1.0)
    left, right = 72.0, width - 16.0

    def x_of(day: float) -> float:
        return round(left + (right - left) * ((day - first) / (last - first) if last > first else 0.5), 2)

    ends = [end for p in points for end in (p.low, p.high)]
    y_of, layers = money_axis(ends, lambda value: _tick(result, value, lang), theme, left, right)
    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    band = [{"x": x_of(_day(p)), "y": y_of(p.low), "y2": y_of(p.high)} for p in points]
    line = [{"x": x_of(_day(p)), "y": y_of(p.value)} for p in points]
    layers.append(marks(band).mark_area(color=tone, opacity=0.16).encode(x=x, y=y, y2="y2:Q"))
    layers.append(marks(line).mark_line(color=tone, strokeWidth=2).encode(x=x, y=y))
    told = [p for p in points if p.tried and p.n > 0]
    dots = [
        {
            "x": x_of(_day(p)),
            "y": y_of(p.value),
            "label": f"{_name(result, p, lang)}: {_money(result, p, lang)}",
        }
        for p in told
    ]
    layers.append(marks(dots).mark_circle(color=tone, size=80, opacity=1).encode(x=x, y=y, tooltip="label:N"))
    steps = sorted({_day(p) for p in told}) if 0 < len(told) <= 10 else [first, (first + last) / 2, last]
    labels, taken = [], -100.0
    for day in steps:
        if x_of(day) - taken > 44:
            labels.append(
                {"x": x_of(day), "label": locale.number(day, lang, digits=0 if day.is_integer() else 1)}
            )
            taken = x_of(day)
    return framed([*layers, labels_below(labels, theme)], theme, width)


def _rows(result: PolicyResult, points: list[Point], lang: str, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = (colour(name, theme) for name in ("ink", "ink-3", "rule"))
    phone = width < PHONE_BELOW
    left, right = (0.0 if phone else width * 0.36), width - (0.0 if phone else width * 0.24)
    step = ROW * (1.7 if phone else 1.0)
    height = max(len(points), 1) * step + 8
    scale = scale_of([end for p in points for end in (p.low, p.high)], ticks=3 if phone else 4)

    def x_of(value: float) -> float:
        return round(left + (right - left) * scale.at(value) / 100, 2)

    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    text = alt.Text("label:N")
    ticks = [{"x": x_of(tick), "label": _tick(result, tick, lang)} for tick in scale.ticks]
    shade = {"gain": colour("gain", theme), "loss": colour("loss", theme), "unsure": quiet}
    layers = [
        marks(ticks).mark_rule(color=rule).encode(x=x, y=alt.value(0), y2=alt.value(height)),
        marks(ticks).mark_text(baseline="top", dy=6).encode(x=x, y=alt.value(height), text=text),
        marks([{"x": x_of(0.0)}]).mark_rule(color=ink).encode(x=x, y=alt.value(0), y2=alt.value(height)),
    ]
    for place, point in enumerate(points):
        middle = step * (place + 0.5) + (step * 0.2 if phone else 0)
        tone = shade[verdict_of(point.low, point.high)] if result.basis == "over-control" else shade["gain"]
        span = marks([{"x": x_of(point.low), "x2": x_of(point.high), "y": middle}])
        layers.append(span.mark_rule(color=tone, strokeWidth=3).encode(x=x, x2="x2:Q", y=y))
        dot = marks([{"x": x_of(point.value), "y": middle, "label": _money(result, point, lang)}])
        layers.append(dot.mark_circle(color=tone, size=90, opacity=1).encode(x=x, y=y, tooltip="label:N"))
        name = marks(
            [{"x": 0, "y": middle - (step * 0.42 if phone else 0), "label": _name(result, point, lang)}]
        )
        layers.append(
            name.mark_text(
                align="left",
                baseline="middle",
                color=ink,
                fontSize=13,
                limit=int(left) - 8 if left else width,
            ).encode(x=x, y=y, text=text)
        )
        if not phone:
            number = marks([{"x": right + 10, "y": middle, "label": _money(result, point, lang)}])
            layers.append(
                number.mark_text(align="left", baseline="middle", color=ink).encode(x=x, y=y, text=text)
            )
    return framed(layers, theme, width, height)
