"""Voices: what customers speak of in tickets, reviews and answers, and what those customers did afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.show.interval import Scale, scale_of
from primeta.show.locale import Figure, Unit
from primeta.web.background import Answers, Beside
from primeta.web.page import page, reader_of, site_of
from primeta.web.pages.sources import PLACE
from primeta.web.reader import Reader
from primeta.web.texts_rows import clipped, share_text, week_bars
from primeta.web.texts_words import OWN_SEGMENTS, SEGMENTS, told
from primeta.workspace.texts_views import After, Theme, Themes
from primeta.workspace.voices_words import OUTCOME, WHY_NOT

router = APIRouter()
PERIODS = (4, 13, 26, 52)
"""Weeks."""
USUAL = 13
TERMS = 4
MOST_SEGMENTS = 8
UNIT: dict[str, Unit] = {"returned": "points", "orders": "count", "opted_out": "points"}
GOOD = {"returned": "up", "orders": "up", "opted_out": "down"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterRow:
    """One outcome of the customers who said a thing beside that of others."""

    outcome: str
    figure: Figure
    verdict: str
    said: str
    others: str
    plot: Markup
    words: str
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeRow:
    """What many customers speak of."""

    theme: Theme
    name: str
    bars: Markup
    trend: str
    segments: tuple[tuple[str, float], ...]
    after: tuple[AfterRow, ...]
    quotes: tuple[str, ...]
    reason: str
    """Why nothing can be told of what they did afterwards; empty where something can."""

    @property
    def told(self) -> bool:
        return any(not entry.why_not for entry in self.after)

    @property
    def differs(self) -> bool:
        """Whether an interval of what they did leaves out zero."""
        return any(not entry.why_not and entry.verdict != "unsure" for entry in self.after)


@router.get("/voices")
def voices(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    given = request.query_params
    weeks = (
        int(given["weeks"]) if given.get("weeks", "").isdigit() and int(given["weeks"]) in PERIODS else USUAL
    )
    segments = [(name, reader.attributes([name])) for name in site.workspace.attributes()]
    segments += [(name, told(OWN_SEGMENTS, name, reader.lang)) for name in OWN_SEGMENTS]
    by = given.get("by", "") if given.get("by", "") in dict(segments) else ""
    beside = _ask(request, weeks, by)
    found = beside.answer
    lang = "ru" if reader.lang == "ru" else "en"
    rows = theme_rows(reader, found) if found else []
    after = found.after_table(lang) if found and found.themes else None
    return page(
        request,
        "voices.html",
        reader,
        status=400 if beside.problem else 200,
        place=PLACE,
        working=beside.working,
        found=found,
        problem=beside.problem,
        rows=rows,
        compared=[row for row in rows if row.differs],
        alike=[row for row in rows if row.told and not row.differs],
        untold=[row for row in rows if not row.told],
        why_not=told(WHY_NOT, found.why_not, reader.lang) if found and found.why_not else "",
        title=_finding(reader, found),
        basis=after.note if after else "",
        periods=[(str(n), str(reader._n("{n} week", "{n} weeks", n))) for n in PERIODS],
        weeks=weeks,
        by=by,
        segments=segments,
        share_text=lambda share: share_text(reader, share),
        segment_name=lambda code: segment_name(reader, code),
    )  # fmt: skip


def _ask(request: Request, weeks: int, by: str) -> Beside[Themes]:
    """Reading all voices may take longer than a page; what came since asks anew."""
    site = site_of(request)
    now = site.now()
    until = site.workspace.day(now)
    known = site.workspace.collected()
    answers: Answers[Themes] = request.app.state.voices
    return answers.ask(
        (weeks, by, until, known),
        lambda: site.workspace.voices(
            since=until - timedelta(weeks=weeks) + timedelta(days=1), until=until, by=by, now=now
        ),
    )


def segment_name(reader: Reader, code: str) -> str:
    return told(SEGMENTS, code, reader.lang) if code in SEGMENTS else reader.slice_name(code)


def _finding(reader: Reader, found: Themes | None) -> str:
    if found is None or not found.themes:
        return str(reader._("Customers’ voices"))
    most = max(found.themes, key=lambda theme: theme.voices)
    name = ", ".join(most.terms[:2])
    return str(
        reader._(
            "Most of all customers speak of “{name}”: {x} of voices",
            name=name,
            x=share_text(reader, most.share),
        )
    )


def theme_rows(reader: Reader, found: Themes) -> list[ThemeRow]:
    themes = sorted(found.themes, key=lambda theme: -theme.voices)
    scales = {outcome: _scale(themes, outcome) for outcome in OUTCOME}
    return [
        ThemeRow(
            theme=theme,
            name=", ".join(theme.terms[:TERMS]),
            bars=week_bars(theme.weekly, _bars_label(reader, theme.weekly)) if theme.weekly else Markup(""),
            trend=_first_and_last(reader, theme.weekly),
            segments=tuple(sorted(theme.by_segment.items(), key=lambda entry: -entry[1])[:MOST_SEGMENTS]),
            after=tuple(_after_row(reader, after, scales[after.outcome]) for after in theme.after),
            quotes=tuple(clipped(quote, 320) for quote in theme.quotes[:5]),
            reason=_reason(reader, theme),
        )
        for theme in themes
    ]


def _reason(reader: Reader, theme: Theme) -> str:
    codes = dict.fromkeys(after.why_not for after in theme.after)
    if "" in codes:
        return ""
    return "; ".join(told(WHY_NOT, code, reader.lang) for code in codes or ("no-customers",))


def _bars_label(reader: Reader, weekly: tuple[float, ...]) -> str:
    numbers = ", ".join(share_text(reader, share) if math.isfinite(share) else "·" for share in weekly)
    return str(reader._("share of the week’s voices: {numbers}", numbers=numbers))


def _first_and_last(reader: Reader, weekly: tuple[float, ...]) -> str:
    """Where it began and where it stands, by four weeks at each end: single weeks jump."""
    known = [share for share in weekly if math.isfinite(share)]
    if len(known) < 8:
        return ""
    first, last = sum(known[:4]) / 4, sum(known[-4:]) / 4
    return f"{share_text(reader, first)} → {share_text(reader, last)}"


def _scale(themes: list[Theme], outcome: str) -> Scale:
    ends = [
        end
        for theme in themes
        for after in theme.after
        if after.outcome == outcome
        for end in (after.low, after.high)
        if math.isfinite(end)
    ]
    return scale_of(ends)


def _after_row(reader: Reader, after: After, scale: Scale) -> AfterRow:
    unit, share = UNIT[after.outcome], after.outcome != "orders"
    figure = reader.figure(after.difference, unit, after.low, after.high, sign=True)
    verdict = "unsure"
    if after.low > 0 or after.high < 0:
        up = after.low > 0
        verdict = "gain" if up == (GOOD[after.outcome] == "up") else "loss"

    def level(value: float) -> str:
        return (
            (share_text(reader, value) if share else reader.number(value, 2)) if math.isfinite(value) else "·"
        )

    return AfterRow(
        outcome=told(OUTCOME, after.outcome, reader.lang),
        figure=figure,
        verdict=verdict,
        said=level(after.said),
        others=level(after.others),
        plot=reader.iv(after.difference, after.low, after.high, scale=scale, verdict=verdict, label=str(figure)),
        words=_in_words(reader, after),
        why_not=told(WHY_NOT, after.why_not, reader.lang) if after.why_not else "",
    )  # fmt: skip


def _in_words(reader: Reader, after: After) -> str:
    """What is seen, and no word of a cause: nobody was drawn by lot."""
    if after.why_not or not math.isfinite(after.difference):
        return ""
    days = after.window_days
    if after.low <= 0 <= after.high:
        return str(
            reader._n(
                "no difference can be told within {n} day", "no difference can be told within {n} days", days
            )
        )
    if after.difference > 0:
        return str(
            reader._n(
                "more often than others like them, within {n} day",
                "more often than others like them, within {n} days",
                days,
            )
        )
    return str(
        reader._n(
            "less often than others like them, within {n} day",
            "less often than others like them, within {n} days",
            days,
        )
    )
