"""Effects as a picture: one row a metric and arm, the lift with its interval, zero first."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from primeta.experiments.records import Effect
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.interval import scale_of, verdict_of
from primeta.show.palette import Theme, colour

ROW = 34
PHONE_BELOW = 500
WORDS = {
    "subtitle": {
        "en": "lift over control, {level} for one look; thin lines hold at every look",
        "ru": "прирост к контролю, {level} для одного взгляда; тонкие линии верны при любом",
    },
    "described": {"en": "{name}, {arm}: {value}", "ru": "{name}, {arm}: {value}"},
}


def effects_picture(
    effects: Sequence[Effect], lang: str, *, title: str, name: Callable[[str], str], level: float
) -> Picture:
    """Rows with a known lift; the interval for one look, and thin the one that holds at every look."""
    shown = [
        effect for effect in effects if math.isfinite(effect.lift_low) and math.isfinite(effect.lift_high)
    ]

    def value(effect: Effect) -> str:
        return str(
            locale.figure(
                effect.lift, lang, unit="relative", low=effect.lift_low, high=effect.lift_high, sign=True
            )
        )

    described = "; ".join(
        WORDS["described"][lang].format(name=name(e.metric), arm=e.arm, value=value(e)) for e in shown
    )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _specification(shown, lang, theme, width, name, value)

    return Picture(
        title=title,
        subtitle=WORDS["subtitle"][lang].format(level=locale.percent(level, lang)),
        source="",
        description=f"{title} {described}",
        draw=draw,
    )


def _specification(
    effects: Sequence[Effect],
    lang: str,
    theme: Theme,
    width: int,
    name: Callable[[str], str],
    value: Callable[[Effect], str],
) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    phone = width < PHONE_BELOW
    left, right = (0.0 if phone else width * 0.3), width - (0.0 if phone else width * 0.24)
    step = ROW * (1.7 if phone else 1.0)
    height = max(len(effects), 1) * step + 8
    ends = [bound for e in effects for bound in (*_always(e), e.lift_low, e.lift_high)]
    scale = scale_of([bound for bound in ends if math.isfinite(bound)], ticks=3 if phone else 4)

    def x_of(share: float) -> float:
        return round(left + (right - left) * scale.at(share) / 100, 2)

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    x, y = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None)
    text = alt.Text("label:N")
    ticks = [{"x": x_of(tick), "label": locale.percent(tick, lang, sign=True)} for tick in scale.ticks]
    shade = {"gain": colour("gain", theme), "loss": colour("loss", theme), "unsure": quiet}
    layers = [
        rows(ticks).mark_rule(color=rule).encode(x=x, y=alt.value(0), y2=alt.value(height)),
        rows(ticks).mark_text(baseline="top", dy=6).encode(x=x, y=alt.value(height), text=text),
        rows([{"x": x_of(0.0)}]).mark_rule(color=ink).encode(x=x, y=alt.value(0), y2=alt.value(height)),
    ]
    for place, effect in enumerate(effects):
        middle = step * (place + 0.5) + (step * 0.2 if phone else 0)
        tone = shade[verdict_of(effect.lift_low, effect.lift_high, up_is_bad=effect.good == "down")]
        low, high = _always(effect)
        spans = [(low, high, 1.0), (effect.lift_low, effect.lift_high, 3.5)]
        for first, last, thick in spans:
            if math.isfinite(first) and math.isfinite(last):
                span = rows([{"x": x_of(first), "x2": x_of(last), "y": middle}])
                layers.append(span.mark_rule(color=tone, strokeWidth=thick).encode(x=x, x2="x2:Q", y=y))
        dot = rows([{"x": x_of(effect.lift), "y": middle, "label": value(effect)}])
        layers.append(dot.mark_circle(color=tone, size=90, opacity=1).encode(x=x, y=y, tooltip="label:N"))
        label = rows(
            [
                {
                    "x": 0,
                    "y": middle - (step * 0.42 if phone else 0),
                    "label": f"{name(effect.metric)}, {effect.arm}",
                }
            ]
        )
        layers.append(
            label.mark_text(
                align="left",
                baseline="middle",
                color=ink,
                fontSize=13,
                limit=int(left) - 8 if left else width,
            ).encode(x=x, y=y, text=text)
        )
        if not phone:
            number = rows([{"x": right + 10, "y": middle, "label": value(effect)}])
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


def _always(effect: Effect) -> tuple[float, float]:
    """The interval that holds at every look, on the lift's scale: the difference's, by the control's mean."""
    if not effect.control_mean > 0:
        return math.nan, math.nan
    return effect.always_low / effect.control_mean, effect.always_high / effect.control_mean
