"""Themes of customers' voices drawn: a bar for each, the largest first."""

from __future__ import annotations

from typing import Any

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.locale import Language
from primeta.show.palette import Theme as Colours
from primeta.show.palette import colour
from primeta.workspace.texts_views import Themes
from primeta.workspace.voices_words import line_of, name_of, tell


def picture_of(found: Themes, lang: Language) -> Picture:
    """Share of voices by theme."""

    def draw(theme: Colours, width: int) -> dict[str, Any]:
        return _specification(found, lang, theme, width)

    said = ", ".join(
        f"{name_of(theme)} {locale.percent(theme.share, lang, digits=0)}" for theme in found.themes[:8]
    )
    return Picture(
        title=line_of(found, lang),
        subtitle=tell(lang, "of-voices"),
        source=tell(
            lang, "source", n=locale.number(found.voices, lang), first=locale.day(found.since, lang),
            last=locale.day(found.until, lang),
        ),
        description=f"{tell(lang, 'picture')}: {said}",
        draw=draw,
    )  # fmt: skip


def _specification(found: Themes, lang: Language, theme: Colours, width: int) -> dict[str, Any]:
    import altair as alt

    rows = [
        {"name": name_of(each, 2), "share": each.share, "text": locale.percent(each.share, lang, digits=1)}
        for each in found.themes
    ]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y(
            "name:N", sort=[row["name"] for row in rows], title=None, axis=alt.Axis(labelLimit=width // 3)
        ),
        x=alt.X("share:Q", title=None, axis=None, scale=alt.Scale(zero=True)),
    )
    bars = base.mark_bar(color=colour("gain", theme), height=14)
    words = base.mark_text(align="left", dx=4, color=colour("ink", theme)).encode(text="text:N")
    chart = (bars + words).properties(width=max(160, width - width // 3), height=24 * max(1, len(rows)))
    return {**chart.to_dict(), "config": config(theme)}
