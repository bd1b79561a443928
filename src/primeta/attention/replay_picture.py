"""Credit that each campaign spent or earned, as a row with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from primeta.attention.records import CampaignCredit
from primeta.attention.replay_words import tell
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import scale_of, verdict_of
from primeta.show.locale import Language
from primeta.show.palette import Theme, colour

ROW = 30.0
PHONE_BELOW = 500
SHOWN = 12


def credit_picture(rows: Sequence[CampaignCredit], lang: Language, *, title: str) -> Picture:
    """The campaigns that moved credit most, either way; what was spent lies to the right and is bad."""
    known = [row for row in rows if math.isfinite(row.low) and math.isfinite(row.high)]
    largest = sorted(known, key=lambda row: (-abs(row.credit_spent), row.campaign))[:SHOWN]
    shown = sorted(largest, key=lambda row: (-row.credit_spent, row.campaign))
    described = "; ".join(f"{row.campaign or '—'}: {_written(row, lang)}" for row in shown)

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(shown, lang, theme, width)

    return Picture(
        title=title,
        subtitle=tell(lang, "credit-note"),
        source="",
        description=f"{title} {described}",
        draw=draw,
    )


def _written(row: CampaignCredit, lang: Language) -> str:
    return f"{locale.number(row.credit_spent, lang, digits=1, sign=True)} ({locale.interval(row.low, row.high, lang, digits=1)})"


def _specification(
    rows: Sequence[CampaignCredit], lang: Language, theme: Theme, width: int
) -> dict[str, Any]:
    import altair as alt

    ink, rule = colour("ink", theme), colour("rule", theme)
    shade = {"gain": colour("gain", theme), "loss": colour("loss", theme), "unsure": colour("ink-3", theme)}
    phone = width < PHONE_BELOW
    left, right = (0.0 if phone else width * 0.26), width - (0.0 if phone else width * 0.24)
    step = ROW * (1.7 if phone else 1.0)
    height = max(len(rows), 1) * step + 8
    scale = scale_of([0.0, *(end for row in rows for end in (row.low, row.high))], ticks=3 if phone else 4)

    def x_of(value: float) -> float:
        return round(left + (right - left) * scale.at(value) / 100, 2)

    def entries(values: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=values))

    # as in the other pictures, positions are pixels that we compute: words stand where we put them
    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = [{"x": x_of(tick), "label": locale.number(tick, lang, sign=True)} for tick in scale.ticks]
    layers = [
        entries(ticks).mark_rule(color=rule).encode(x=x, y=alt.value(0), y2=alt.value(height)),
        entries(ticks).mark_text(baseline="top", dy=6).encode(x=x, y=alt.value(height), text=text),
        entries([{"x": x_of(0.0)}]).mark_rule(color=ink).encode(x=x, y=alt.value(0), y2=alt.value(height)),
    ]
    for place, row in enumerate(rows):
        middle = step * (place + 0.5) + (step * 0.2 if phone else 0)
        tone = shade[verdict_of(row.low, row.high, up_is_bad=True)]
        span = entries([{"x": x_of(row.low), "x2": x_of(row.high), "y": middle}])
        layers.append(span.mark_rule(color=tone, strokeWidth=3.5).encode(x=x, x2="x2:Q", y=y))
        dot = entries([{"x": x_of(row.credit_spent), "y": middle, "label": _written(row, lang)}])
        layers.append(dot.mark_circle(color=tone, size=90, opacity=1).encode(x=x, y=y, tooltip="label:N"))
        name = entries([{"x": 0, "y": middle - (step * 0.42 if phone else 0), "label": row.campaign or "—"}])
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
            number = entries([{"x": right + 10, "y": middle, "label": _written(row, lang)}])
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
