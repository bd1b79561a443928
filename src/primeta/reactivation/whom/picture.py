"""The Qini curve: money per customer when the best share is written to, beside a random choice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from primeta.reactivation.whom import words
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import scale_of
from primeta.show.palette import Theme, colour

if TYPE_CHECKING:
    from primeta.reactivation.whom.result import Whom

HEIGHT = 240


def qini_picture(result: Whom, lang: str) -> Picture:
    """The curve with its band, the straight line of a random choice, and where the learned policy stops."""
    title = result.line(lang)
    points = result.qini.curve
    described = " ".join(
        words.say(
            "described",
            lang,
            share=words.say("share", lang, share=locale.percent(p.share, lang, digits=0)),
            money=result.money(p.value, lang, p.low, p.high),
        )
        for p in points[5::5]
    )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _curve(result, lang, theme, width)

    return Picture(
        title=title,
        subtitle=words.say("subtitle", lang, level=locale.percent(result.level, lang, digits=0)),
        source="",
        description=f"{title} {described}".strip(),
        draw=draw,
    )


def _chart(values: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Chart(alt.InlineData(values=values))


def _tick(result: Whom, value: float, lang: str) -> str:
    if result.currency:
        return locale.money(value, lang, result.currency, sign=True)
    return locale.number(value, lang, sign=True)


def _curve(result: Whom, lang: str, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule, tone = (colour(name, theme) for name in ("ink", "ink-3", "rule", "gain"))
    points = result.qini.curve
    ends = [end for p in points for end in (p.low, p.high) if math.isfinite(end)] or [0.0, 1.0]
    scale = scale_of(ends, ticks=4)
    left, right = 72.0, width - 16.0

    def x_of(share: float) -> float:
        return round(left + (right - left) * share, 2)

    def y_of(value: float) -> float:
        return round(HEIGHT * (1 - scale.at(value) / 100), 2)

    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    text = alt.Text("label:N")
    ticks = [{"x": 0, "y": y_of(tick), "label": _tick(result, tick, lang)} for tick in scale.ticks]
    layers = [
        _chart(ticks).mark_rule(color=rule).encode(y=y, x=alt.value(left), x2=alt.value(right)),
        _chart(ticks).mark_text(align="left", baseline="middle").encode(x=x, y=y, text=text),
        _chart([{"y": y_of(0.0)}]).mark_rule(color=ink).encode(y=y, x=alt.value(left), x2=alt.value(right)),
    ]
    if points:
        band = [{"x": x_of(p.share), "y": y_of(p.low), "y2": y_of(p.high)} for p in points]
        curve = [{"x": x_of(p.share), "y": y_of(p.value)} for p in points]
        chance = [{"x": x_of(0.0), "y": y_of(0.0)}, {"x": x_of(1.0), "y": y_of(points[-1].value)}]
        layers += [
            _chart(band).mark_area(color=tone, opacity=0.16).encode(x=x, y=y, y2="y2:Q"),
            _chart(chance).mark_line(color=quiet, strokeDash=[4, 3]).encode(x=x, y=y),
            _chart(curve).mark_line(color=tone, strokeWidth=2).encode(x=x, y=y),
        ]
        for entry in result.policies:
            if entry.name == "learned" and math.isfinite(entry.value):
                label = (
                    f"{words.word('learned', lang)}: {result.money(entry.value, lang, entry.low, entry.high)}"
                )
                dot = _chart([{"x": x_of(entry.share), "y": y_of(entry.value), "label": label}])
                layers.append(
                    dot.mark_circle(color=tone, size=90, opacity=1).encode(x=x, y=y, tooltip="label:N")
                )
    shares = [
        {"x": x_of(share), "label": locale.percent(share, lang, digits=0)}
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    layers.append(
        _chart(shares)
        .mark_text(baseline="top", dy=6, color=quiet)
        .encode(x=x, y=alt.value(HEIGHT), text=text)
    )
    return {
        **alt.layer(*layers).properties(width=width, height=HEIGHT).to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
