"""Small multiples of topics: who speaks of what, week by week, drawn to one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.palette import Theme, colour

Floats = npt.NDArray[np.float64]
EACH = 96
"""Height of one line's band in pixels."""
PHONE_BELOW = 500
MOST_POINTS = 160
"""Periods that a band shows; of a longer history the last ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """One topic; `share` (W,), NaN where nobody spoke."""

    name: str
    share: Floats
    onset: int


def topics_picture(
    lines: Sequence[Line],
    *,
    weeks: Sequence[date],
    lang: str,
    title: str,
    subtitle: str,
    source: str,
    description: str,
) -> Picture:
    """A band for each topic, one under the other on a phone, in two or three columns where there is room."""

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(lines, weeks, lang, theme, width)

    return Picture(title=title, subtitle=subtitle, source=source, description=description, draw=draw)


def _specification(
    lines: Sequence[Line], weeks: Sequence[date], lang: str, theme: Theme, width: int
) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    strong = colour("gain", theme)
    across = 1 if width < PHONE_BELOW or len(lines) < 2 else 2 if len(lines) < 5 else 3
    gap = 28
    band = (width - gap * (across - 1)) / across
    start = max(0, len(weeks) - MOST_POINTS)
    seen = [line.share[start:] for line in lines]
    top = max([float(np.nanmax(share)) for share in seen if np.isfinite(share).any()] or [1.0]) or 1.0
    last = max(len(weeks) - start - 1, 1)
    rows = -(-max(len(lines), 1) // across)
    height = rows * (EACH + 44)

    def place(at: int) -> tuple[float, float]:
        return (at % across) * (band + gap), (at // across) * (EACH + 44) + 22

    def shape(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    # As in show.series_chart, positions are pixels that we compute: words stand where we put them.
    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    points: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    floors: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    for at, (line, share) in enumerate(zip(lines, seen, strict=True)):
        left, up = place(at)
        stretch = np.cumsum(~np.isfinite(share))
        for i in np.flatnonzero(np.isfinite(share)).tolist():
            points.append({
                "x": round(left + band * i / last, 2), "y": round(up + EACH * (1 - float(share[i]) / top), 2),
                "part": f"{at}-{stretch[i]}", "order": i,
                "label": f"{locale.day(weeks[start + i], lang)}: {locale.percent(float(share[i]), lang)}",
            })  # fmt: skip
        names.append({"x": left, "y": up - 8, "label": _short(line.name, int(band / 8))})
        floors.append({"x": left, "x2": left + band, "y": up + EACH})
        onset = line.onset - start
        if onset >= 0:
            begin = left + band * onset / last
            label = locale.day(weeks[line.onset], lang)
            late = onset > 0.6 * last
            marks.append({"x": begin, "y": up, "y2": up + EACH, "label": label, "late": late})
        names.append({"x": left + band, "y": up + 2, "label": "", "high": locale.percent(top, lang)})
    layers = [
        shape(floors).mark_rule(color=rule).encode(x=x, x2="x2:Q", y=y),
        shape(points).mark_line(color=strong, strokeWidth=1.75, strokeJoin="round")
        .encode(x=x, y=y, order=alt.Order("order:Q"), detail="part:N"),
        shape(points).mark_circle(color=strong, size=30, opacity=0).encode(x=x, y=y, tooltip="label:N"),
        shape(names).mark_text(align="left", baseline="bottom", color=ink, fontSize=13).encode(x=x, y=y, text=text),
        shape(marks).mark_rule(color=quiet, strokeDash=[2, 3]).encode(x=x, y=y, y2="y2:Q"),
        shape(marks).transform_filter("!datum.late").mark_text(align="left", baseline="top", dx=4, color=quiet)
        .encode(x=x, y=y, text=text),
        shape(marks).transform_filter("datum.late").mark_text(align="right", baseline="top", dx=-4, color=quiet)
        .encode(x=x, y=y, text=text),
    ]  # fmt: skip
    ends = [
        {"x": 0.0, "y": float(height - 6), "label": locale.day(weeks[start], lang), "side": "left"},
        {"x": float(band), "y": float(height - 6), "label": locale.day(weeks[-1], lang), "side": "right"},
    ]
    for end in ends:
        layers.append(
            shape([end])
            .mark_text(align=end["side"], baseline="bottom", color=quiet)
            .encode(x=x, y=y, text=text)
        )
    layers.append(
        shape([{"x": 0.0, "y": 24.0, "label": locale.percent(top, lang)}])
        .mark_text(align="left", baseline="top", color=quiet).encode(x=x, y=y, text=text)
    )  # fmt: skip
    chart = alt.layer(*layers).properties(width=width, height=height)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 4, "bottom": 4},
        "autosize": {"type": "none"},
        "config": config(theme),
    }


def _short(name: str, letters: int) -> str:
    return name if len(name) <= letters else name[: max(letters - 1, 1)].rstrip() + "…"
