"""A topic over time: for each owner the share of his own stories that speak of it, week by week, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from primeta.show import locale
from primeta.show.chart import Picture, config
from primeta.show.palette import Theme, colour
from primeta.signals.texts.records import Share, Topic
from primeta.web.reader import Reader
from primeta.web.texts_rows import clipped

MOST_OWNERS = 6
BEFORE = 8
"""Weeks before the onset, so that what was usual is seen."""
FEWEST, MOST = 26, 60
PHONE_BELOW = 500
HEAD, ROW, FOOT = 30, 46, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    owner: str
    shares: tuple[tuple[date, float, int, int], ...]
    """Week, share, stories, volume; weeks of which his volume is not known are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    rows: tuple[_Row, ...]
    weeks: tuple[date, ...]
    since: date
    top: float
    lang: str
    since_words: str


def topic_picture(reader: Reader, topic: Topic, *, title: str) -> Picture | None:
    """None where no share is known."""
    shares = [share for share in topic.shares if share.volume > 0]
    if not shares:
        return None
    last = max(share.week for share in shares)
    wanted = min(last - timedelta(weeks=FEWEST - 1), topic.since - timedelta(weeks=BEFORE))
    first = max(min(share.week for share in shares), wanted, last - timedelta(weeks=MOST - 1))
    weeks = tuple(first + timedelta(weeks=place) for place in range((last - first).days // 7 + 1))
    owners = _owners(topic, shares)
    rows = tuple(
        _Row(
            owner=owner,
            shares=tuple(
                (share.week, share.stories / share.volume, share.stories, share.volume)
                for share in sorted(shares, key=lambda share: share.week)
                if share.owner == owner and share.week >= first
            ),
        )
        for owner in owners[:MOST_OWNERS]
    )
    top = max([share for row in rows for _, share, _, _ in row.shares] or [0.0]) or 1.0
    since = str(reader._("more since {day:short}", day=topic.since))
    drawn = _Drawn(rows=rows, weeks=weeks, since=topic.since, top=top, lang=reader.lang, since_words=since)
    source = str(reader._("Source: what this workspace has collected. A retelling is counted for nobody."))
    if len(owners) > len(rows):
        source += " " + str(
            reader._n(
                "{n} more source is not drawn.", "{n} more sources are not drawn.", len(owners) - len(rows)
            )
        )
    told = [_in_words(reader, row) for row in rows]
    return Picture(
        title=title,
        subtitle=str(reader._("Share of each source’s own stories that speak of it, by week")),
        source=source,
        description=f"{title.rstrip('.')}. " + " ".join(told),
        draw=lambda theme, width: _specification(drawn, theme, width),
    )


def _owners(topic: Topic, shares: Sequence[Share]) -> list[str]:
    """Those who speak of it, the earliest first."""
    speaking = {share.owner for share in shares if share.stories}
    known = [owner for owner in topic.owners if owner in speaking]
    return known + sorted(speaking - set(known)) or list(dict.fromkeys(share.owner for share in shares))


def _in_words(reader: Reader, row: _Row) -> str:
    if not row.shares:
        return f"{row.owner}."
    week, share, _, _ = max(row.shares, key=lambda entry: entry[1])
    return str(
        reader._("{owner}: at most {share:share}, in the week from {day:date}.", owner=row.owner, share=share, day=week)
    )  # fmt: skip


def _share(share: float, lang: str) -> str:
    return locale.percent(share, lang, digits=0 if share >= 0.095 else 1)


@lru_cache(maxsize=128)
def _specification(drawn: _Drawn, theme: Theme, width: int) -> dict[str, Any]:
    import altair as alt

    ink, ink2, quiet, rule = (colour(name, theme) for name in ("ink", "ink-2", "ink-3", "rule"))
    strong = colour("confirmed", theme)
    phone = width < PHONE_BELOW
    left = 0.0 if phone else 176.0
    right = width - 52.0
    row_height = ROW + 16 if phone else ROW
    height = HEAD + row_height * len(drawn.rows)
    step = (right - left) / len(drawn.weeks)
    bar_room = ROW - 14

    def x_of(week: date) -> float:
        return round(left + step * ((week - drawn.weeks[0]).days / 7), 2)

    def bottom(place: int) -> float:
        return HEAD + row_height * (place + 1) - 6

    def rows(entries: list[dict[str, Any]]) -> Any:
        return alt.Chart(alt.InlineData(values=entries))

    x, y, text = alt.X("x:Q").scale(None), alt.Y("y:Q").scale(None), alt.Text("label:N")
    bases = rows([{"y": bottom(place)} for place in range(len(drawn.rows))])
    letters = 42 if phone else 24
    names = rows(
        [
            {
                "x": 0,
                "y": bottom(place) - (bar_room + 12 if phone else bar_room / 2),
                "label": clipped(row.owner, letters),
            }
            for place, row in enumerate(drawn.rows)
        ]
    )
    layers = [
        bases.mark_rule(color=rule).encode(y=y, x=alt.value(left), x2=alt.value(right)),
        names.mark_text(align="left", baseline="middle", fontSize=13, color=ink).encode(x=x, y=y, text=text),
    ]
    if drawn.weeks[0] <= drawn.since <= drawn.weeks[-1]:
        at = x_of(drawn.since)
        late = at > (left + right) / 2
        mark = rows([{"x": at + (-5 if late else 5), "y": 12, "label": drawn.since_words}])
        line = rows([{"x": at}]).mark_rule(color=ink, strokeDash=[2, 3])
        layers.append(line.encode(x=x, y=alt.value(4), y2=alt.value(height)))
        told = mark.mark_text(align="right" if late else "left", baseline="middle", fontSize=13, color=ink)
        layers.append(told.encode(x=x, y=y, text=text))
    bars = [
        {
            "x": x_of(week) + 1,
            "x2": round(x_of(week) + max(step - 1, 1.5), 2),
            "y": bottom(place),
            "y2": round(bottom(place) - bar_room * share / drawn.top, 2),
            "after": week >= drawn.since,
            "label": f"{row.owner}, {locale.day(week, drawn.lang)}: {_share(share, drawn.lang)} "
            f"({stories} / {volume})",
        }
        for place, row in enumerate(drawn.rows)
        for week, share, stories, volume in row.shares
        if stories
    ]
    for after, shade in ((False, quiet), (True, strong)):
        some = [bar for bar in bars if bar["after"] == after]
        if some:
            drawn_bars = rows(some).mark_rect(color=shade)
            layers.append(drawn_bars.encode(x=x, x2="x2:Q", y=y, y2="y2:Q", tooltip="label:N"))
    peaks = [
        {
            "x": right + 6,
            "y": bottom(place) - bar_room / 2,
            "label": _share(max(share for _, share, _, _ in row.shares), drawn.lang),
        }
        for place, row in enumerate(drawn.rows)
        if row.shares
    ]
    layers.append(
        rows(peaks)
        .mark_text(align="left", baseline="middle", fontSize=12, color=ink2)
        .encode(x=x, y=y, text=text)
    )
    # The onset has its day above the bars, so the ends are enough below them.
    spread = dict.fromkeys((drawn.weeks[0], drawn.weeks[-1]))
    for place, week in enumerate(spread):
        at = {"x": x_of(week) + (step if place else 0), "label": locale.day_short(week, drawn.lang)}
        day = rows([at]).mark_text(align="right" if place else "left", baseline="top", dy=9)
        layers.append(day.encode(x=x, y=alt.value(height), text=text))
    chart = alt.layer(*layers).properties(width=width, height=height)
    return {
        **chart.to_dict(),
        "padding": {"left": 0, "right": 0, "top": 4, "bottom": FOOT},
        "autosize": {"type": "none"},
        "config": config(theme),
    }
