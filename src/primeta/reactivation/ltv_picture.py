"""Does the model keep its word: cumulative repeat orders, and means by number of repeat orders, seen and promised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from primeta.reactivation.ltv_words import said, word
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.palette import Theme, colour
from primeta.show.series_chart import round_scale

HEIGHT = 230
PHONE_BELOW = 500
LETTER = 8.0
LEFT = 58.0


def tracking_picture(
    days: Sequence[date],
    seen: Sequence[float],
    model: Sequence[float],
    lang: str,
    *,
    title: str,
    source: str,
    held_from: date | None,
) -> Picture:
    """Two cumulative lines; from `held_from` on the model had not seen what is drawn."""

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _tracking(days, seen, model, lang, held_from, theme, width)

    described = f"{title} {word('seen', lang)}: {locale.number(seen[-1], lang, digits=0)}; "
    described += f"{word('model', lang)}: {locale.number(model[-1], lang, digits=0)}"
    return Picture(
        title=title, subtitle=word("tracking", lang), source=source, description=described, draw=draw
    )


def bars_picture(
    labels: Sequence[str],
    seen: Sequence[float],
    model: Sequence[float],
    lang: str,
    *,
    title: str,
    subtitle: str,
    source: str,
) -> Picture:
    """Pairs of columns: as seen and as the model says."""

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _bars(labels, seen, model, lang, theme, width)

    described = (
        title
        + " "
        + "; ".join(
            f"{label}: {locale.number(a, lang)} / {locale.number(b, lang)}"
            for label, a, b in zip(labels, seen, model)
        )
    )
    return Picture(title=title, subtitle=subtitle, source=source, description=described, draw=draw)


def _rows(entries: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Chart(alt.InlineData(values=entries))


def _framed(layers: list[Any], theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    chart = alt.layer(*layers).properties(width=width, height=HEIGHT)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }


def _tracking(
    days: Sequence[date],
    seen: Sequence[float],
    model: Sequence[float],
    lang: str,
    held_from: date | None,
    theme: Theme,
    width: int,
) -> dict[str, Any]:
    import altair as alt

    ink, quiet, rule = colour("ink", theme), colour("ink-3", theme), colour("rule", theme)
    strong = colour("gain", theme)
    scale = round_scale([0.0, *seen, *model, 1.0], ticks=4)
    names = {"seen": word("seen", lang), "model": word("model", lang)}
    right = width - max(map(len, names.values())) * LETTER - 12
    span = max((days[-1] - days[0]).days, 1)

    def x_of(day: date) -> float:
        return round(LEFT + (right - LEFT) * (day - days[0]).days / span, 2)

    def y_of(value: float) -> float:
        return round(HEIGHT * (scale.high - value) / (scale.high - scale.low), 2)

    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = _rows([{"y": y_of(t), "label": locale.number(t, lang)} for t in scale.ticks if t >= 0])
    count = min(len(days), 3 if width < PHONE_BELOW else 5)
    places = sorted({round(i * (len(days) - 1) / max(count - 1, 1)) for i in range(count)})
    below = _rows(
        [{"x": x_of(days[place]), "label": locale.day_short(days[place], lang)} for place in places]
    )
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        below.mark_text(align="center", baseline="top", dy=9).encode(x=x, y=alt.value(HEIGHT), text=text),
    ]
    if held_from is not None and days[0] <= held_from <= days[-1]:
        late = x_of(held_from) > width * 0.6
        mark = _rows([{"x": x_of(held_from), "label": word("held", lang)}])
        layers.append(
            mark.mark_rule(color=quiet, strokeDash=[2, 3]).encode(x=x, y=alt.value(0), y2=alt.value(HEIGHT))
        )
        side = mark.mark_text(
            align="right" if late else "left", baseline="bottom", dx=-5 if late else 5, color=quiet
        )
        layers.append(side.encode(x=x, y=alt.value(HEIGHT - 4), text=text))
    ends = {"seen": y_of(seen[-1]), "model": y_of(model[-1])}
    if abs(ends["seen"] - ends["model"]) < 17:
        up, down = ("seen", "model") if ends["seen"] <= ends["model"] else ("model", "seen")
        middle = (ends["seen"] + ends["model"]) / 2
        ends[up], ends[down] = middle - 8.5, middle + 8.5
    for code, shade, values, dash in (("seen", ink, seen, [1, 0]), ("model", strong, model, [6, 4])):
        points = _rows(
            [
                {
                    "x": x_of(day),
                    "y": y_of(value),
                    "label": f"{names[code]}, {locale.day(day, lang)}: {locale.number(value, lang, digits=0)}",
                }
                for day, value in zip(days, values, strict=True)
            ]
        )
        layers.append(
            points.mark_line(color=shade, strokeWidth=2.25, strokeDash=dash).encode(
                x=x, y=y, order=alt.Order("x:Q")
            )
        )
        layers.append(
            points.mark_circle(color=shade, size=160, opacity=0).encode(x=x, y=y, tooltip="label:N")
        )
        label = _rows([{"x": right, "y": ends[code], "label": names[code]}])
        layers.append(
            label.mark_text(
                align="left", baseline="middle", dx=8, fontSize=13, fontWeight=600, color=shade
            ).encode(x=x, y=y, text=text)
        )
    return _framed(layers, theme, width)


def _bars(
    labels: Sequence[str],
    seen: Sequence[float],
    model: Sequence[float],
    lang: str,
    theme: Theme,
    width: int,
) -> dict[str, Any]:
    import altair as alt

    ink, rule, strong = colour("ink-3", theme), colour("rule", theme), colour("gain", theme)
    scale = round_scale([0.0, *seen, *model, 1e-9], ticks=4)
    step = scale.ticks[1] - scale.ticks[0] if len(scale.ticks) > 1 else 1.0
    digits = 0 if step >= 1 else 2
    room = (width - LEFT) / max(len(labels), 1)
    bar = min(room * 0.36, 34.0)

    def y_of(value: float) -> float:
        return round(HEIGHT * (scale.high - value) / (scale.high - scale.low), 2)

    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = _rows(
        [{"y": y_of(t), "label": locale.number(t, lang, digits=digits)} for t in scale.ticks if t >= 0]
    )
    middles = [LEFT + room * (place + 0.5) for place in range(len(labels))]
    below = _rows([{"x": middle, "label": label} for middle, label in zip(middles, labels)])
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        below.mark_text(align="center", baseline="top", dy=9).encode(x=x, y=alt.value(HEIGHT), text=text),
    ]
    for code, shade, values, shift in (("seen", ink, seen, -bar), ("model", strong, model, 0.0)):
        bars = _rows(
            [
                {
                    "x": middle + shift,
                    "x2": middle + shift + bar - 1,
                    "y": y_of(value),
                    "y2": y_of(0.0),
                    "label": f"{label}, {word(code, lang)}: {locale.number(value, lang)}",
                }
                for middle, label, value in zip(middles, labels, values)
            ]
        )
        layers.append(bars.mark_rect(color=shade).encode(x=x, x2="x2:Q", y=y, y2="y2:Q", tooltip="label:N"))
        # Names stand in the upper right corner, in the colours of their columns.
        name = _rows([{"x": width, "y": 12 if code == "seen" else 30, "label": word(code, lang)}])
        layers.append(
            name.mark_text(align="right", baseline="middle", fontSize=13, fontWeight=600, color=shade).encode(
                x=x, y=y, text=text
            )
        )
    return _framed(layers, theme, width)


def count_labels(most: int, lang: str) -> list[str]:
    """`0`, `1`, … and the last one with a plus."""
    return [*(locale.number(k, lang) for k in range(most)), said("and_more", lang, n=most)]
