"""A series with its pieces and the places where it changed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.palette import Theme, colour
from primeta.show.series_chart import round_scale

Floats = npt.NDArray[np.float64]
HEIGHT = 240
LEFT, RIGHT = 58.0, 12.0
PHONE_BELOW = 500
MOST_POINTS = 4000
"""A line on a screen shows no more; longer series are thinned for drawing."""


def segments_picture(
    *,
    values: Floats,
    fitted: Floats,
    labels: Sequence[str],
    starts: Sequence[int],
    lang: str,
    title: str,
    subtitle: str,
    source: str,
) -> Picture:
    """The series as a line, its pieces over it, a dashed line and the time at each change.

    Args:
        values: (n,), NaN is a gap. fitted: (n,), or empty where there are no pieces.
        labels: (n,) times as text. starts: first points of new pieces.
    """

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(values, fitted, labels, starts, lang, theme, width)

    return Picture(title=title, subtitle=subtitle, source=source, description=title, draw=draw)


def _specification(
    values: Floats,
    fitted: Floats,
    labels: Sequence[str],
    starts: Sequence[int],
    lang: str,
    theme: Theme,
    width: int,
) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    strong = colour("gain", theme)
    known = np.flatnonzero(np.isfinite(values))
    phone = width < PHONE_BELOW
    scale = round_scale([float(v) for v in values[known]] or [0.0, 1.0], ticks=3 if phone else 4)
    last = max(len(values) - 1, 1)

    def x_of(index: float) -> float:
        return round(LEFT + (width - LEFT - RIGHT) * index / last, 2)

    def y_of(value: float) -> float:
        return round(HEIGHT * (scale.high - value) / (scale.high - scale.low), 2)

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    # as in show.series_chart, positions are pixels that we compute: words stand where we put them
    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    text = alt.Text("label:N")
    step = scale.ticks[1] - scale.ticks[0] if len(scale.ticks) > 1 else 1.0
    digits = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
    ticks = rows([{"y": y_of(t), "label": locale.number(t, lang, digits=digits)} for t in scale.ticks])
    count = min(len(labels), 3 if phone else 5)
    spread = sorted({round(i * (len(labels) - 1) / max(count - 1, 1)) for i in range(count)})
    thin = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).astype(int))
    # a gap ends one stretch of the line and begins another
    stretch = np.cumsum(~np.isfinite(values))
    points = [
        {
            "x": x_of(int(i)),
            "y": y_of(float(values[i])),
            "label": f"{labels[i]}: {locale.number(float(values[i]), lang)}",
            "stretch": int(stretch[i]),
        }
        for i in thin
        if np.isfinite(values[i])
    ]
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        rows(points)
        .mark_line(color=quiet, strokeWidth=1.5, strokeJoin="round")
        .encode(x=x, y=y, order=alt.Order("x:Q"), detail="stretch:N"),
        rows(points)
        .mark_circle(color=quiet, size=36, opacity=1 if len(points) < 9 else 0)
        .encode(x=x, y=y, tooltip="label:N"),
    ]
    for place, side in zip(
        spread, ["center"] * (len(spread) - 1) + ["right" if len(spread) > 1 else "center"]
    ):
        when = rows([{"x": x_of(place), "label": labels[place]}])
        layers.append(
            when.mark_text(align=side, baseline="top", dy=9).encode(x=x, y=alt.value(HEIGHT), text=text)
        )
    for start in starts:
        late = x_of(start) > width - 110
        mark = rows([{"x": x_of(start - 0.5), "label": labels[start]}])
        layers.append(
            mark.mark_rule(color=ink, strokeDash=[2, 3]).encode(x=x, y=alt.value(0), y2=alt.value(HEIGHT))
        )
        side = mark.mark_text(
            align="right" if late else "left", baseline="bottom", dx=-5 if late else 5, fontSize=13, color=ink
        )
        layers.append(side.encode(x=x, y=alt.value(HEIGHT - 4), text=text))
    if len(fitted):
        edges = [0, *starts, len(values)]
        for left, right in itertools.pairwise(edges):
            inner = [i for i in thin if left <= i < right and np.isfinite(fitted[i])]
            ends = sorted({int(inner[0]), int(inner[-1])}) if inner else []
            piece = rows([{"x": x_of(i), "y": y_of(float(fitted[i]))} for i in ends])
            layers.append(
                piece.mark_line(color=strong, strokeWidth=2.5).encode(x=x, y=y, order=alt.Order("x:Q"))
            )
    chart = alt.layer(*layers).properties(width=width, height=HEIGHT)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
