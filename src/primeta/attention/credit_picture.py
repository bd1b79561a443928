"""Credit of one customer over time: a line with its 95% band, and on it what came of each message."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from primeta.attention.credit_words import tell
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.locale import Language
from primeta.show.palette import Theme, colour
from primeta.show.series_chart import round_scale

if TYPE_CHECKING:
    from primeta.attention.credit_history import CreditHistory, CreditPoint

HEIGHT = 220
STRIP = 26.0
"""Below the axis of credit: a tick for each message."""
PHONE_BELOW = 500
LEAST_TOP = 0.02


def history_picture(history: CreditHistory, lang: Language) -> Picture:
    """The picture of `CreditHistory`; with no message an empty frame that says so."""
    title = history.line(lang)

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(history.points, lang, theme, width)

    return Picture(
        title=title,
        subtitle=tell(lang, "history.subtitle"),
        source=tell(lang, "history.source"),
        description=title,
        draw=draw,
    )


def _specification(
    points: tuple[CreditPoint, ...], lang: Language, theme: Theme, width: int
) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    gain, loss = colour("gain", theme), colour("loss", theme)
    phone = width < PHONE_BELOW
    known = [point for point in points if math.isfinite(point.value)]
    top = max([LEAST_TOP, *(min(point.high, 1.0) for point in known if math.isfinite(point.high))])
    scale = round_scale([0.0, top], ticks=3 if phone else 4)
    step = scale.ticks[1] - scale.ticks[0] if len(scale.ticks) > 1 else top
    digits = 0 if step * 100 >= 1 and float(round(step * 100, 6)).is_integer() else 1
    left, right = (46.0 if phone else 58.0), width - 12.0
    first = points[0].at if points else None
    span = (points[-1].at - points[0].at).total_seconds() or 1.0 if points else 1.0

    def x_of(at: datetime) -> float:
        return round(left + (right - left) * ((at - first).total_seconds() / span if first else 0.0), 2)

    def y_of(value: float) -> float:
        return round(HEIGHT * (scale.high - value) / (scale.high - scale.low), 2)

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    # as in the other pictures, positions are pixels that we compute: words stand where we put them
    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = rows(
        [
            {"y": y_of(tick), "label": locale.percent(tick, lang, digits=digits)}
            for tick in scale.ticks
            if tick >= 0
        ]
    )
    days = rows(
        [{"x": x_of(at), "label": _day(at.date(), lang)} for at in _spread(points, 3 if phone else 5)]
    )
    foot = HEIGHT + STRIP
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        days.mark_text(align="center", baseline="top", dy=6).encode(x=x, y=alt.value(foot), text=text),
    ]
    band = [
        {"x": x_of(point.at), "y": y_of(point.low), "y2": y_of(min(point.high, 1.0))}
        for point in known
        if math.isfinite(point.low) and math.isfinite(point.high)
    ]
    if band:
        layers.append(
            rows(band)
            .mark_area(color=quiet, opacity=0.18, interpolate="step-after")
            .encode(x=x, y=y, y2="y2:Q")
        )
    drawn = [
        {
            "x": x_of(point.at),
            "y": y_of(point.value),
            "label": f"{locale.day(point.at.date(), lang)}: {locale.percent(point.value, lang)}",
        }
        for point in known
    ]
    if drawn:
        line = rows(drawn).mark_line(color=ink, strokeWidth=2.25, interpolate="step-after")
        layers.append(line.encode(x=x, y=y, order=alt.Order("x:Q")))
    tone = {"welcomed": gain, "drove-away": loss, "silent": quiet, "open": quiet}
    for came, shade in tone.items():
        sent = [
            {"x": x_of(point.at), "label": _told(point, lang)}
            for point in points
            if point.purpose and point.came == came
        ]
        if not sent:
            continue
        tall = came in ("welcomed", "drove-away")
        layers.append(
            rows(sent)
            .mark_rule(color=shade, strokeWidth=2.5 if tall else 1.25, opacity=1.0 if tall else 0.7)
            .encode(
                x=x,
                y=alt.value(HEIGHT + (6 if tall else 12)),
                y2=alt.value(foot),
                tooltip="label:N",
            )
        )
        if tall:
            dots = rows([{**entry, "y": HEIGHT + 6} for entry in sent])
            layers.append(
                dots.mark_circle(color=shade, size=46, opacity=1).encode(x=x, y=y, tooltip="label:N")
            )
    chart = alt.layer(*layers).properties(width=width, height=foot)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 14, "bottom": 26},
        "autosize": {"type": "none"},
        "config": config(theme),
    }


def _told(point: CreditPoint, lang: Language) -> str:
    purpose, came = tell(lang, f"purpose.{point.purpose}"), tell(lang, f"came.{point.came}")
    return f"{locale.day(point.at.date(), lang)}: {purpose}, {came}"


def _day(day: date, lang: Language) -> str:
    return locale.day_short(day, lang)


def _spread(points: tuple[CreditPoint, ...], count: int) -> list[datetime]:
    """So many moments at even distances in time, never at the very edges."""
    if not points:
        return []
    first, last = points[0].at, points[-1].at
    if first == last:
        return [first]
    return [first + (last - first) * (index + 0.5) / count for index in range(count)]
