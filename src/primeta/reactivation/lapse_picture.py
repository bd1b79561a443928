"""The base by state: how many came into lapse and came back each week, and one bar of states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from primeta.reactivation.lapse_words import word
from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.palette import Theme, colour
from primeta.show.series_chart import round_scale

if TYPE_CHECKING:
    from primeta.reactivation.lapse import Move

HEIGHT = 220
BAR = 34
PHONE_BELOW = 500
LETTER = 8.0
TOKENS = {"active": "gain", "cooling": "arm-c", "lapsed": "loss", "gone": "ink-3"}
LEFT = 58.0


def flow_picture(moves: Sequence[Move], lang: str, *, title: str, until: date, source: str) -> Picture:
    """Two lines over the weeks: customers who lapsed in each, and lapsed ones who came back."""
    weeks = sorted({move.week for move in moves})
    lapsed = [
        sum(m.customers for m in moves if m.week == week and m.went == "lapsed" and m.came != "lapsed")
        for week in weeks
    ]
    back = [
        sum(
            m.customers
            for m in moves
            if m.week == week and m.came in ("lapsed", "gone") and m.went not in ("gone", m.came)
        )
        for week in weeks
    ]
    lines = (("lapsing", "loss", lapsed), ("returned", "gain", back))
    described = "; ".join(
        f"{word(code, lang)}: {locale.number(values[0], lang)} → {locale.number(values[-1], lang)}"
        for code, _, values in lines
    )

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _lines(weeks, lines, lang, theme, width)

    return Picture(
        title=title,
        subtitle=word("by-week", lang),
        source=source,
        description=f"{title} {described}",
        draw=draw,
    )


def states_picture(states: Mapping[str, int], lang: str, *, title: str, source: str) -> Picture:
    """One bar, its parts the states."""

    def draw(theme: Theme, width: int) -> dict[str, Any]:
        return _bar(states, lang, theme, width)

    return Picture(title=title, subtitle=word("by-state", lang), source=source, description=title, draw=draw)


def _rows(entries: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Chart(alt.InlineData(values=entries))


def _lines(
    weeks: Sequence[date], lines: Sequence[tuple[str, str, list[int]]], lang: str, theme: Theme, width: int
) -> dict[str, Any]:
    import altair as alt

    rule = colour("rule", theme)
    phone = width < PHONE_BELOW
    scale = round_scale([0.0, *(float(v) for _, _, values in lines for v in values), 1.0], ticks=3)
    right = width - max(len(word(code, lang)) for code, _, _ in lines) * LETTER - 12
    span = max(len(weeks) - 1, 1)

    def x_of(place: int) -> float:
        return round(LEFT + (right - LEFT) * place / span, 2)

    def y_of(value: float) -> float:
        return round(HEIGHT * (scale.high - value) / (scale.high - scale.low), 2)

    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    ticks = _rows([{"y": y_of(t), "label": locale.number(t, lang)} for t in scale.ticks if t >= 0])
    count = min(len(weeks), 3 if phone else 5)
    places = sorted({round(i * (len(weeks) - 1) / max(count - 1, 1)) for i in range(count)})
    days = _rows(
        [
            {"x": x_of(place), "label": locale.day_short(weeks[place] + timedelta(days=6), lang)}
            for place in places
        ]
    )
    layers = [
        ticks.mark_rule(color=rule).encode(y=y, x=alt.value(0), x2=alt.value(width)),
        ticks.mark_text(align="left", baseline="bottom", dy=-3).encode(y=y, x=alt.value(0), text=text),
        days.mark_text(align="center", baseline="top", dy=9).encode(x=x, y=alt.value(HEIGHT), text=text),
    ]
    ends = {code: y_of(values[-1]) for code, _, values in lines}
    first, second = (code for code, _, _ in lines)
    if abs(ends[first] - ends[second]) < 17:
        # Labels that would touch move apart, the higher line's upwards.
        up, down = (first, second) if ends[first] <= ends[second] else (second, first)
        middle = (ends[up] + ends[down]) / 2
        ends[up], ends[down] = middle - 8.5, middle + 8.5
    for code, token, values in lines:
        shade = colour(token, theme)
        points = _rows(
            [
                {
                    "x": x_of(place),
                    "y": y_of(value),
                    "label": f"{locale.day(weeks[place], lang)}: {locale.number(value, lang)}",
                }
                for place, value in enumerate(values)
            ]
        )
        layers.append(
            points.mark_line(color=shade, strokeWidth=2.25, strokeJoin="round").encode(
                x=x, y=y, order=alt.Order("x:Q")
            )
        )
        dots = points.mark_circle(color=shade, size=36, opacity=1 if len(weeks) < 9 else 0)
        layers.append(dots.encode(x=x, y=y, tooltip="label:N"))
        label = _rows([{"x": right, "y": ends[code], "label": word(code, lang)}])
        layers.append(
            label.mark_text(
                align="left", baseline="middle", dx=8, fontSize=13, fontWeight=600, color=shade
            ).encode(x=x, y=y, text=text)
        )
    return _framed(layers, theme, width, HEIGHT)


def _bar(states: Mapping[str, int], lang: str, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    total = sum(states.values()) or 1
    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    layers: list[Any] = []
    at = 0.0
    for place, (state, number) in enumerate(states.items()):
        part = width * number / total
        shade = colour(TOKENS[state], theme)
        bar = _rows([{"x": at, "x2": at + part, "y": 0, "y2": BAR}])
        layers.append(
            bar.mark_rect(color=shade, stroke=colour("paper", theme)).encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
        )
        share = locale.percent(number / total, lang)
        label = _rows(
            [
                {
                    "x": 0,
                    "y": BAR + 18 + 20 * place,
                    "label": f"{word(state, lang)}: {locale.number(number, lang)} ({share})",
                }
            ]
        )
        layers.append(
            label.mark_text(align="left", baseline="middle", fontSize=13, fontWeight=600, color=shade).encode(
                x=x, y=y, text=text
            )
        )
        at += part
    return _framed(layers, theme, width, BAR + 20 * len(states) + 12)


def _framed(layers: list[Any], theme: Theme, width: int, height: int) -> dict[str, Any]:
    import altair as alt

    chart = alt.layer(*layers).properties(width=width, height=height)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 8, "bottom": 28},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
