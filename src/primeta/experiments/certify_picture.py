"""A certificate as a picture: one row a metric, its false alarms with their interval, the promised share as a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from primeta.experiments.certify_words import WORDS
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import scale_of
from primeta.show.palette import Theme, colour

ROW = 30
PHONE_BELOW = 500
Row = tuple[str, float, float, float, bool]
"""Name, share, its interval, whether the metric holds."""


def certificate_picture(
    rows: Sequence[Row], lang: str, *, promised: float, title: str, subtitle: str, source: str
) -> Picture:
    """`promised` is the share of false alarms that the level allows."""
    described = "; ".join(
        WORDS[lang]["described"].format(name=name, value=_told(share, low, high, lang))
        for name, share, low, high, _ in rows
    )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(rows, lang, promised, theme, width)

    return Picture(
        title=title, subtitle=subtitle, source=source, description=f"{title} {described}", draw=draw
    )


def _told(share: float, low: float, high: float, lang: str) -> str:
    between = locale.interval(100 * low, 100 * high, lang, digits=1)
    return f"{locale.percent(share, lang, digits=1)} ({between})"


def _specification(
    rows: Sequence[Row], lang: str, promised: float, theme: Theme, width: int
) -> dict[str, Any]:
    import altair as alt

    ink, rule = colour("ink", theme), colour("rule", theme)
    phone = width < PHONE_BELOW
    left, right = (0.0 if phone else width * 0.36), width - (8.0 if phone else width * 0.22)
    step = ROW * (1.7 if phone else 1.0)
    height = max(len(rows), 1) * step + 8
    scale = scale_of([promised, *(row[3] for row in rows)], ticks=3 if phone else 4)

    def x_of(share: float) -> float:
        return round(left + (right - left) * scale.at(share) / 100, 2)

    def marks(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = [{"x": x_of(tick), "label": locale.percent(tick, lang)} for tick in scale.ticks]
    layers = [
        marks(ticks).mark_rule(color=rule).encode(x=x, y=alt.value(0), y2=alt.value(height)),
        marks(ticks).mark_text(baseline="top", dy=6).encode(x=x, y=alt.value(height), text=text),
        marks([{"x": x_of(promised)}]).mark_rule(color=ink).encode(x=x, y=alt.value(0), y2=alt.value(height)),
    ]
    for place, (name, share, low, high, holds) in enumerate(rows):
        middle = step * (place + 0.5) + (step * 0.2 if phone else 0)
        tone = colour("gain" if holds else "loss", theme)
        told = _told(share, low, high, lang)
        span = marks([{"x": x_of(low), "x2": x_of(high), "y": middle}])
        dot = marks([{"x": x_of(share), "y": middle, "label": f"{name}: {told}"}])
        label = marks([{"x": 0, "y": middle - (step * 0.42 if phone else 0), "label": name}])
        layers += [
            span.mark_rule(color=tone, strokeWidth=3).encode(x=x, x2="x2:Q", y=y),
            dot.mark_circle(color=tone, size=80, opacity=1).encode(x=x, y=y, tooltip="label:N"),
            label.mark_text(
                align="left",
                baseline="middle",
                color=ink,
                fontSize=13,
                limit=int(left) - 8 if left else width,
            ).encode(x=x, y=y, text=text),
        ]
        if not phone:
            number = marks([{"x": right + 10, "y": middle, "label": told}])
            layers.append(
                number.mark_text(align="left", baseline="middle", color=ink).encode(x=x, y=y, text=text)
            )
    chart = alt.layer(*layers).properties(width=width, height=height)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
