"""The Qini curve: money per customer when the best share is written to, beside a random choice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from primeta.reactivation.money_curve import framed, labels_below, marks, money_axis, money_tick
from primeta.reactivation.whom import words
from primeta.show import locale
from primeta.show.chart import Picture
from primeta.show.palette import Theme, colour

if TYPE_CHECKING:
    from primeta.reactivation.whom.result import Whom


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


def _curve(result: Whom, lang: str, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    quiet, tone = colour("ink-3", theme), colour("gain", theme)
    points = result.qini.curve
    ends = [end for p in points for end in (p.low, p.high) if math.isfinite(end)] or [0.0, 1.0]
    left, right = 72.0, width - 16.0

    def x_of(share: float) -> float:
        return round(left + (right - left) * share, 2)

    y_of, layers = money_axis(
        ends, lambda value: money_tick(value, lang, result.currency), theme, left, right
    )
    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    if points:
        band = [{"x": x_of(p.share), "y": y_of(p.low), "y2": y_of(p.high)} for p in points]
        curve = [{"x": x_of(p.share), "y": y_of(p.value)} for p in points]
        chance = [{"x": x_of(0.0), "y": y_of(0.0)}, {"x": x_of(1.0), "y": y_of(points[-1].value)}]
        layers += [
            marks(band).mark_area(color=tone, opacity=0.16).encode(x=x, y=y, y2="y2:Q"),
            marks(chance).mark_line(color=quiet, strokeDash=[4, 3]).encode(x=x, y=y),
            marks(curve).mark_line(color=tone, strokeWidth=2).encode(x=x, y=y),
        ]
        for entry in result.policies:
            if entry.name == "learned" and math.isfinite(entry.value):
                label = (
                    f"{words.word('learned', lang)}: {result.money(entry.value, lang, entry.low, entry.high)}"
                )
                dot = marks([{"x": x_of(entry.share), "y": y_of(entry.value), "label": label}])
                layers.append(
                    dot.mark_circle(color=tone, size=90, opacity=1).encode(x=x, y=y, tooltip="label:N")
                )
    shares = [
        {"x": x_of(share), "label": locale.percent(share, lang, digits=0)}
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    return framed([*layers, labels_below(shares, theme)], theme, width)
