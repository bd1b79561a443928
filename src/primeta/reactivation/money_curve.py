"""What the curves of money over days or shares have in common: the axis of money, labels below, the frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from primeta.show import locale
from primeta.show.chart import config
from primeta.show.interval import scale_of
from primeta.show.palette import Theme, colour

HEIGHT = 240


def marks(values: list[dict[str, Any]]) -> Any:
    """A chart of rows, still without a mark."""
    import altair as alt

    return alt.Chart(alt.InlineData(values=values))


def money_tick(value: float, lang: str, currency: str, *, sign: bool = True) -> str:
    if currency:
        return locale.money(value, lang, currency, sign=sign)
    return locale.number(value, lang, sign=sign)


def money_axis(
    ends: Sequence[float], tick: Callable[[float], str], theme: Theme, left: float, right: float
) -> tuple[Callable[[float], float], list[Any]]:
    """Pixels from the top by money, and the layers of its lines, labels and zero."""
    import altair as alt

    ink, rule = colour("ink", theme), colour("rule", theme)
    scale = scale_of(list(ends), ticks=4)

    def y_of(value: float) -> float:
        return round(HEIGHT * (1 - scale.at(value) / 100), 2)

    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    ticks = [{"x": 0, "y": y_of(value), "label": tick(value)} for value in scale.ticks]
    return y_of, [
        marks(ticks).mark_rule(color=rule).encode(y=y, x=alt.value(left), x2=alt.value(right)),
        marks(ticks).mark_text(align="left", baseline="middle").encode(x=x, y=y, text=alt.Text("label:N")),
        marks([{"y": y_of(0.0)}]).mark_rule(color=ink).encode(y=y, x=alt.value(left), x2=alt.value(right)),
    ]


def labels_below(labels: list[dict[str, Any]], theme: Theme) -> Any:
    """Labels of the other axis, each at its `x`."""
    import altair as alt

    return (
        marks(labels)
        .mark_text(baseline="top", dy=6, color=colour("ink-3", theme))
        .encode(x=alt.X("x:Q").scale(None), y=alt.value(HEIGHT), text=alt.Text("label:N"))
    )


def framed(layers: list[Any], theme: Theme, width: int, height: float = HEIGHT) -> dict[str, Any]:
    """The layers as one chart with room for the labels below."""
    import altair as alt

    return {
        **alt.layer(*layers).properties(width=width, height=height).to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
