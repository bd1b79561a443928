"""The smallest effect that a test can show, over its weeks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.palette import Theme, colour
from primeta.show.series_chart import round_scale

HEIGHT = 240
LEFT, RIGHT = 70.0, 12.0
PHONE_BELOW = 500
HIGHEST = 3.2
"""Effects beyond so many times the planned one are left out: the first days would press the curve flat."""


def detectable_picture(
    *,
    at: Sequence[float],
    effects: Sequence[float],
    planned_at: float,
    planned_effect: float,
    written: Callable[[float, str], str],
    axis: str,
    lang: str,
    title: str,
    subtitle: str,
    source: str,
) -> Picture:
    """A falling curve, with the planned effect and where the curve reaches it.

    Args:
        at: (n,) weeks or customers. effects: (n,) with their sign.
        written: An effect as text. axis: what `at` counts.
    """
    shown = [
        (x, effect)
        for x, effect in zip(at, effects, strict=True)
        if abs(effect) <= HIGHEST * abs(planned_effect)
    ]

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(shown, planned_at, planned_effect, written, axis, lang, theme, width)

    return Picture(title=title, subtitle=subtitle, source=source, description=title, draw=draw)


def _specification(
    shown: list[tuple[float, float]],
    planned_at: float,
    planned_effect: float,
    written: Callable[[float, str], str],
    axis: str,
    lang: str,
    theme: Theme,
    width: int,
) -> dict[str, Any]:
    import altair as alt

    ink, strong, rule = colour("ink", theme), colour("gain", theme), colour("rule", theme)
    sign = 1.0 if planned_effect > 0 else -1.0
    ticks_wanted = 3 if width < PHONE_BELOW else 4
    scale = round_scale([0.0, abs(planned_effect), *(abs(effect) for _, effect in shown)], ticks=ticks_wanted)
    last = max([planned_at, *(x for x, _ in shown)])

    def x_of(value: float) -> float:
        return round(LEFT + (width - LEFT - RIGHT) * value / last, 2)

    def y_of(effect: float) -> float:
        return round(HEIGHT * (scale.high - abs(effect)) / (scale.high - scale.low), 2)

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    # as in show.series_chart, positions are pixels that we compute: words stand where we put them
    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = rows([{"y": y_of(tick), "label": written(sign * tick, lang)} for tick in scale.ticks])
    along = round_scale([0.0, last], ticks=ticks_wanted + 1)
    marks = [tick for tick in along.ticks if 0 < tick <= last and tick.is_integer()]
    places = rows([{"x": x_of(tick), "label": locale.number(tick, lang)} for tick in marks])
    points = [
        {
            "x": x_of(place),
            "y": y_of(effect),
            "label": f"{locale.number(place, lang)}: {written(effect, lang)}",
        }
        for place, effect in shown
    ]
    planned = {"x": x_of(planned_at), "y": y_of(planned_effect)}
    here = rows([{**planned, "label": written(planned_effect, lang)}])
    corners = [{"x": LEFT, "y": planned["y"]}, planned, {"x": planned["x"], "y": y_of(0.0)}]
    guide = rows([{**corner, "at": place} for place, corner in enumerate(corners)])
    late = x_of(planned_at) > width - 120
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        places.mark_text(align="center", baseline="top", dy=9).encode(x=x, y=alt.value(HEIGHT), text=text),
        rows([{"x": 0, "y": HEIGHT, "label": axis}])
        .mark_text(align="left", baseline="top", dy=9)
        .encode(x=x, y=y, text=text),
        guide.mark_line(color=ink, strokeWidth=1, strokeDash=[2, 3]).encode(
            x=x, y=y, order=alt.Order("at:Q")
        ),
        rows(points).mark_line(color=strong, strokeWidth=2.5).encode(x=x, y=y, order=alt.Order("x:Q")),
        rows(points).mark_circle(color=strong, size=200, opacity=0).encode(x=x, y=y, tooltip="label:N"),
        here.mark_circle(color=ink, size=60, opacity=1).encode(x=x, y=y),
        here.mark_text(
            align="right" if late else "left",
            baseline="bottom",
            dx=-7 if late else 7,
            dy=-6,
            fontSize=13,
            fontWeight=600,
            color=ink,
        ).encode(x=x, y=y, text=text),
    ]
    chart = alt.layer(*layers).properties(width=width, height=HEIGHT)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
