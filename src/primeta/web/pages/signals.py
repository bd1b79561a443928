"""Signals: all that was seen, and one signal with its evidence."""

from __future__ import annotations

import math
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from primeta.errors import NotFound
from primeta.show.interval import scale_of, verdict_of
from primeta.signals.note import Note
from primeta.signals.signal import Grade, Signal
from primeta.trends.records import OriginEvidence, Trend
from primeta.web.charts import drawn, level_title, picture_of
from primeta.web.evidence_grid import grid_of
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of
from primeta.web.reader import Reader, capital
from primeta.web.texts_rows import share_text
from primeta.workspace.words import owners_named

router = APIRouter()
GROUPS: dict[str, tuple[Grade, ...]] = {
    "strong": ("confirmed", "repeating", "holding"),
    "noticed": ("noticed",),
    "gone": ("fading", "refuted"),
}
SHOWN_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
"""Files of a note that browsers draw; anything else is only saved."""
WIDEST = 0.6
SHOWN = 100


@router.get("/signals")
def signals(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    found = site.workspace.signals()
    groups = {name: [entry for entry in found if entry.grade in grades] for name, grades in GROUPS.items()}
    wanted = request.query_params.get("show", "")
    if wanted not in groups:
        wanted = next((name for name, entries in groups.items() if entries), "strong")
    said = [entry for entry in groups[wanted] if entry.topic]
    counted = [entry for entry in groups[wanted] if not entry.topic]
    listed = counted[:SHOWN]
    ends = [
        min(max(end, -WIDEST), WIDEST)
        for entry in listed
        for end in relative_of(entry)[1:]
        if math.isfinite(end)
    ]
    scale = scale_of(ends)
    return page(
        request,
        "signals.html",
        reader,
        groups=groups,
        wanted=wanted,
        listed=listed,
        hidden=len(counted) - len(listed),
        said=said[:SHOWN],
        share_text=lambda share: share_text(reader, share),
        notes=sorted(site.workspace.notes(), key=lambda note: note.logged_at, reverse=True),
        trend_of=_trends_by_signal(site.workspace.trends()),
        relative_of=relative_of,
        scale=scale,
        ticks=reader.ticks(scale, "relative"),
        verdict=lambda entry: signal_verdict(reader, entry),
    )


def relative_of(signal: Signal) -> tuple[float, float, float]:
    """The change and its interval, relative to what was expected; NaN where that is not above zero."""
    base = signal.expected
    if not math.isfinite(base) or base <= 0:
        return math.nan, math.nan, math.nan
    return (signal.observed - base) / base, signal.low / base, signal.high / base


def signal_verdict(reader: Reader, signal: Signal) -> str:
    metric = reader.metrics.get(signal.frozen.about)
    plain = verdict_of(signal.low, signal.high, up_is_bad=metric is not None and metric.good == "down")
    return "moved" if plain != "unsure" and (metric is None or metric.good == "neither") else plain


def _trends_by_signal(trends: tuple[Trend, ...]) -> dict[str, Trend]:
    return {signal: trend for trend in trends for signal in trend.signals}


@router.get("/signals/{identity}")
def signal(request: Request, identity: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    found = site.workspace.sign(identity)
    trends = site.workspace.trends()
    own = _trends_by_signal(trends).get(identity)
    if isinstance(found, Note):
        return page(
            request,
            "note.html",
            reader,
            note=found,
            pictures=SHOWN_PICTURES,
            own=own,
            trends=trends,
            form=_joining(request),
        )
    if found.topic:
        # One side of a topic has no page of its own: all sides stand on the topic's.
        return RedirectResponse(f"/topics/{quote(found.topic, safe='')}", status_code=303)
    return _signal_page(request, reader, found, own, trends, _joining(request))


def _joining(request: Request) -> Form:
    return Form(values={"by": person_of(request), "trend": "", "name": ""})


def _signal_page(
    request: Request,
    reader: Reader,
    found: Signal,
    own: Trend | None,
    trends: tuple[Trend, ...],
    form: Form,
    status: int = 200,
) -> Response:
    site = site_of(request)
    title = finding(reader, found)
    picture, why_not = None, ""
    try:
        view = site.workspace.signal_series(found.id)
        picture, why_not = drawn(picture_of(reader, view, title=level_title(reader, view))), view.why_not
    except NotFound as error:
        why_not = str(error)
    seen = OriginEvidence(
        origin=found.frozen.origin,
        what=f"{found.frozen.about}|{found.frozen.direction}|{found.frozen.slice}",
        weeks=found.weeks,
        months=found.months,
        quarters=found.quarters,
        e_value=found.e_value,
        grade=found.grade,
    )
    grid = grid_of(
        reader,
        [seen],
        counted={
            "week": _counted(found.weeks, 4),
            "month": _counted(found.months, 3),
            "quarter": _counted(found.quarters, 2),
        },
        matters=found.frozen.smallest_effect,
    )
    metric = reader.metrics.get(found.frozen.about)
    return page(
        request,
        "signal.html",
        reader,
        status=status,
        signal=found,
        title=title,
        name=reader.signal_name(found),
        relative=relative_of(found),
        verdict=signal_verdict(reader, found),
        unit=metric.unit if metric else "count",
        difference_unit={"share": "points"}.get(metric.unit, metric.unit) if metric else "count",
        picture=picture,
        why_not=why_not,
        grid=grid,
        own=own,
        trends=trends,
        form=form,
    )


def _counted(blocks, last: int) -> tuple[int, int]:
    finished = [block for block in blocks if block.finished][-last:]
    return sum(block.passes for block in finished), len(finished)


def finding(reader: Reader, signal: Signal) -> str:
    """A signal as a headline: what, where, how far, since when."""
    if signal.topic:
        return str(
            reader._(
                "More is said of {name} since {since:date}: {owners}",
                name=reader.metric_name(signal.frozen.about),
                since=signal.frozen.since,
                owners=owners_named(signal.owners, "ru" if reader.lang == "ru" else "en"),
            )
        )
    change, low, high = relative_of(signal)
    name, since = reader.signal_name(signal), signal.frozen.since
    if signal.frozen.origin == "attention" and change < 0:
        return str(
            reader._(
                "{slice}: fewer look at what we send since {since:date}, {x} below what was expected",
                slice=capital(reader.slice_name(signal.frozen.slice)),
                since=since,
                x=reader.figure(abs(change), "relative", low, high).text,
            )
        )
    if not math.isfinite(change):
        if signal.frozen.direction == "up":
            return str(reader._("{name}: higher than expected since {since:date}", name=name, since=since))
        return str(reader._("{name}: lower than expected since {since:date}", name=name, since=since))
    far = reader.figure(abs(change), "relative", low, high).text
    if change > 0:
        return str(
            reader._("{name}: {x} above what was expected, since {since:date}", name=name, x=far, since=since)
        )
    return str(
        reader._("{name}: {x} below what was expected, since {since:date}", name=name, x=far, since=since)
    )


@router.get("/signals/{identity}/chart")
def signal_chart(request: Request, identity: str) -> Response:
    """The chart's specification, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.signal_series(identity)
    return specification(request, picture_of(reader, view, title=level_title(reader, view)))


def specification(request: Request, picture) -> Response:
    theme = "dark" if request.query_params.get("theme") == "dark" else "light"
    width = request.query_params.get("width", "")
    pixels = min(max(int(width), 240), 1600) if width.isdigit() else 760
    return JSONResponse(picture.specification(theme, width=pixels))


@router.post("/signals/{identity}/join")
def join(request: Request, identity: str, sent: Sent) -> Response:
    """Attach a signal or a note to a trend, or start a trend from it."""
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("trend", "name", "by"))
    form.require({"by": str(reader._("Say who you are."))})
    if not form.values["trend"] and not form.values["name"]:
        form.errors["trend"] = str(reader._("Choose a trend, or name a new one."))
    found = site.workspace.sign(identity)
    if form.ok:
        by, now = form.values["by"], site.now()
        if form.values["name"]:
            made = site.workspace.new_trend(name=form.values["name"], signals=[identity], by=by, now=now)
            return done(f"/trends/{made.id}", "done.trend", person=by, name=made.card.name)
        trend = site.workspace.attach(form.values["trend"], identity, by=by, now=now)
        return done(f"/trends/{trend.id}", "done.attached", person=by, name=trend.card.name)
    trends = site.workspace.trends()
    own = _trends_by_signal(trends).get(identity)
    if isinstance(found, Note):
        return page(
            request,
            "note.html",
            reader,
            status=400,
            note=found,
            pictures=SHOWN_PICTURES,
            own=own,
            trends=trends,
            form=form,
        )
    return _signal_page(request, reader, found, own, trends, form, status=400)
