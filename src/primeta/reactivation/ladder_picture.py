"""The ladder as a picture: all rungs of all arms on one scale of money, claims as pale bars, measurements as intervals."""

from __future__ import annotations

import math
from typing import Any

from primeta.reactivation.ladder_sentences import Pen, money_of, pen_of
from primeta.reactivation.ladder_words import RUNGS, WHY_NOT, WORDS, words
from primeta.reactivation.records import LadderFacts, Rung
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import scale_of, verdict_of
from primeta.show.palette import Theme, colour

ROW, HEAD = 26, 30
"""Pixels: one arm's line, and the heading of its rung."""
PHONE_BELOW = 500


def ladder_picture(facts: LadderFacts, lang: str, *, title: str) -> Picture:
    """One line for each rung and arm; the title says the finding."""
    pen = pen_of(facts, lang)
    described = "; ".join(
        f"{RUNGS[rung.rung][lang]}, {rung.arm}: {money_of(rung, pen)}"
        for rung in facts.rungs
        if not _unknown(rung)
    )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(facts, pen, theme, width)

    return Picture(
        title=title,
        subtitle=words(WORDS, "subtitle", lang, level=locale.percent(facts.campaign.level, lang)),
        source=words(WORDS, "source", lang, until=pen.day(facts.campaign.until)),
        description=f"{title}. {described}",
        draw=draw,
    )


def _unknown(rung: Rung) -> bool:
    return not math.isfinite(rung.money)


def ends_of(facts: LadderFacts) -> list[float]:
    """Every finite end in money, from which the one scale is made."""
    ends = [end for rung in facts.rungs for end in (rung.money, rung.low * rung.n, rung.high * rung.n)]
    return [end for end in ends if math.isfinite(end)]


def _specification(facts: LadderFacts, pen: Pen, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    lang = pen.lang
    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    phone = width < PHONE_BELOW
    left, right = (0.0 if phone else width * 0.34), float(width) - 12
    numbers = sorted({rung.rung for rung in facts.rungs})
    step = ROW * (1.8 if phone else 1.0)
    arms = len({rung.arm for rung in facts.rungs})
    height = len(numbers) * (HEAD + arms * step) + 6
    scale = scale_of(ends_of(facts), ticks=3 if phone else 5)
    shade = {"gain": colour("gain", theme), "loss": colour("loss", theme), "unsure": quiet}

    def x_of(value: float) -> float:
        return round(left + (right - left) * scale.at(value) / 100, 2)

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    text = alt.Text("label:N")
    ticks = rows([{"x": x_of(tick), "label": str(pen.money(tick))} for tick in scale.ticks])
    layers = [
        ticks.mark_rule(color=rule).encode(x=x, y=alt.value(0), y2=alt.value(height)),
        ticks.mark_text(baseline="top", dy=6).encode(x=x, y=alt.value(height), text=text),
        rows([{"x": x_of(0.0)}]).mark_rule(color=ink).encode(x=x, y=alt.value(0), y2=alt.value(height)),
    ]
    at = 0.0
    for number in numbers:
        head = rows([{"x": 0, "y": at + HEAD * 0.6, "label": f"{number}  {RUNGS[number][lang]}"}])
        layers.append(
            head.mark_text(align="left", baseline="middle", color=ink, fontSize=13, fontWeight=600).encode(
                x=x, y=y, text=text
            )
        )
        at += HEAD
        for rung in (entry for entry in facts.rungs if entry.rung == number):
            middle = at + step * (0.68 if phone else 0.5)
            said = (
                f"{rung.arm}: {words(WHY_NOT, rung.why_not, lang)}"
                if _unknown(rung)
                else f"{rung.arm}  {money_of(rung, pen)}"
            )
            label = rows(
                [{"x": 0 if phone else 20, "y": at + step * 0.22 if phone else middle, "label": said}]
            )
            layers.append(
                label.mark_text(
                    align="left",
                    baseline="middle",
                    color=quiet if _unknown(rung) else ink,
                    limit=int(left) - 26 if left else width,
                ).encode(x=x, y=y, text=text)
            )
            if not _unknown(rung):
                layers += _mark(rung, middle, x_of, rows, shade, quiet, theme, said)
            at += step
    chart = alt.layer(*layers).properties(width=width, height=height)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }


def _mark(
    rung: Rung,
    middle: float,
    x_of: Any,
    rows: Any,
    shade: dict[str, str],
    quiet: str,
    theme: Theme,
    said: str,
) -> list[Any]:
    import altair as alt

    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    if rung.rung < 2:
        bar = rows(
            [{"x": x_of(0.0), "x2": x_of(rung.money), "y": middle - 6, "y2": middle + 6, "label": said}]
        )
        return [
            bar.mark_rect(color=quiet, opacity=0.28, stroke=quiet, strokeWidth=1).encode(
                x=x, x2="x2:Q", y=y, y2="y2:Q", tooltip="label:N"
            )
        ]
    tone = shade[verdict_of(rung.low, rung.high)]
    layers = []
    if math.isfinite(rung.low) and math.isfinite(rung.high):
        span = rows([{"x": x_of(rung.low * rung.n), "x2": x_of(rung.high * rung.n), "y": middle}])
        layers.append(span.mark_rule(color=tone, strokeWidth=2.5).encode(x=x, x2="x2:Q", y=y))
    dot = rows([{"x": x_of(rung.money), "y": middle, "label": said}])
    hollow = rung.rung == 4 and rung.modelled != 0
    layers.append(
        dot.mark_point(
            filled=True,
            color=colour("paper", theme) if hollow else tone,
            stroke=tone,
            strokeWidth=2,
            size=90,
            opacity=1,
        ).encode(x=x, y=y, tooltip="label:N")
    )
    return layers
