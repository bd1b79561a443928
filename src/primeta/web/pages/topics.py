"""Topics: what more is said of than before, and one topic with its evidence, who spoke first and who followed."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.errors import NotFound
from primeta.signals.signal import Signal
from primeta.signals.texts.topics_across import speaks_russian
from primeta.trends.evidence import STRENGTH
from primeta.trends.records import TREND_TYPES, Trend
from primeta.web.background import Answers
from primeta.web.charts import drawn
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of
from primeta.web.pages.signals import specification
from primeta.web.pages.sources import PLACE
from primeta.web.reader import Reader
from primeta.web.texts_pictures import topic_picture
from primeta.web.texts_rows import (
    quotes_of,
    share_text,
    sightings,
    story_rows,
    topic_grid,
    topic_name,
    wanted_of,
    week_bars,
    weekly_shares,
)
from primeta.workspace.texts_views import TopicView

router = APIRouter()
GONE = ("fading", "refuted")
MOST_SUGGESTED = 4
MOST_TRENDS = 40
"""So many of the latest trends are asked whether the topic belongs to them."""


@router.get("/topics")
def topics(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    now = site.now()
    found = sorted(
        site.workspace.topics(now=now),
        key=lambda view: (-STRENGTH[view.topic.grade], -view.topic.noticed_at.timestamp(), view.topic.id),
    )
    live = [view for view in found if view.topic.grade not in GONE]
    return page(
        request,
        "topics.html",
        reader,
        place=PLACE,
        live=[view for view in live if view.topic.grade != "noticed"],
        noticed=[view for view in live if view.topic.grade == "noticed"],
        gone=[view for view in found if view.topic.grade in GONE],
        has_sources=bool(found) or bool(site.workspace.declared()),
        title=_headline(reader, live),
        name_of=lambda topic: topic_name(topic, reader),
        bars_of=lambda topic: _bars(reader, topic),
        one_origin=lambda topic: len(topic.owners) < 2,
    )


def _headline(reader: Reader, live: list[TopicView]) -> str:
    if not live:
        return str(reader._("No topic has emerged yet"))
    sure = sum(view.topic.grade in ("confirmed", "repeating") for view in live)
    first = reader._n("More is said of {n:f} topic", "More is said of {n:f} topics", len(live))
    if not sure:
        return str(first)
    if sure == len(live):
        return str(
            reader._n(
                "{first}, and it keeps coming back", "{first}, and all keep coming back", sure, first=first
            )
        )
    second = reader._n("{n:f} of them keeps coming back", "{n:f} of them keep coming back", sure)
    return str(reader._("{first}, {second}", first=first, second=second))


def _bars(reader: Reader, topic):
    shares = weekly_shares(topic)
    if not shares:
        return ""
    told = ", ".join(share_text(reader, share) if share == share else "·" for share in shares)
    return week_bars(shares, str(reader._("share of what is said, by week: {numbers}", numbers=told)))


@router.get("/topics/{identity}")
def topic(request: Request, identity: str) -> Response:
    view = site_of(request).workspace.topic(identity)
    return _topic_page(request, view, Form(values={"by": person_of(request), "trend": "", "name": ""}))


def _topic_page(request: Request, view: TopicView, form: Form, status: int = 200) -> Response:
    site, reader = site_of(request), reader_of(request)
    now, found = site.now(), view.topic
    name = topic_name(found, reader)
    trends = site.workspace.trends()
    own = next((trend for trend in trends if trend.id == view.trend), None)
    read = site.workspace.reading(page=1, kind="", source="", mark="", topic=found.id, query="", now=now)
    picture = topic_picture(reader, found, title=chart_title(reader, view))
    seen = sightings(reader, view)
    return page(
        request,
        "topic.html",
        reader,
        status=status,
        place=PLACE,
        view=view,
        topic=found,
        name=name,
        name_of=lambda topic: topic_name(topic, reader),
        title=finding(reader, view),
        picture=drawn(picture) if picture else None,
        grid=topic_grid(reader, found, _signals(request, view)),
        sightings=seen,
        quotes=quotes_of(found),
        wanted=wanted_of(reader, found),
        read=read,
        rows=story_rows(reader, read.items),
        own=own,
        trends=trends,
        suggested=[] if own else _suggested(request, view, trends),
        twins=_twins(request, view, trends),
        russian=speaks_russian(found),
        most_suggested=MOST_SUGGESTED,
        form=form,
        days_left=(found.applies_from - site.workspace.day(now)).days if found.applies_from else 0,
    )


def _signals(request: Request, view: TopicView) -> list[Signal]:
    found = []
    for identity in view.signals:
        try:
            sign = site_of(request).workspace.sign(identity)
        except NotFound:
            continue
        if isinstance(sign, Signal):
            found.append(sign)
    return found


def finding(reader: Reader, view: TopicView) -> str:
    """A topic as a headline: what, by how many, since when."""
    found = view.topic
    name, owners = topic_name(found, reader), len(found.owners)
    if owners < 2:
        return str(
            reader._(
                "“{name}”: one source speaks more of it, since {since:date}", name=name, since=found.since
            )
        )
    return str(
        reader._n(
            "“{name}”: {n:m} independent source speaks more of it, since {since:date}",
            "“{name}”: {n:m} independent sources speak more of it, since {since:date}",
            owners,
            name=name,
            since=found.since,
        )
    )  # fmt: skip


def chart_title(reader: Reader, view: TopicView) -> str:
    found = view.topic
    if not found.owners:
        return topic_name(found, reader)
    if len(found.owners) == 1:
        return str(reader._("Only {owner} speaks of it", owner=found.owners[0]))
    return str(reader._n(
        "{first} spoke first, {n:m} other followed", "{first} spoke first, {n:m} others followed",
        len(found.owners) - 1, first=found.owners[0],
    ))  # fmt: skip


def _suggested(
    request: Request, view: TopicView, trends: tuple[Trend, ...]
) -> list[tuple[Trend, tuple[str, ...]]]:
    """Trends that the topic may belong to, the likeliest first, with the reasons."""
    if not view.signals:
        return []
    workspace, mine = site_of(request).workspace, set(view.signals)
    found: list[tuple[float, Trend, tuple[str, ...]]] = []
    for trend in sorted(trends, key=lambda trend: trend.created_at, reverse=True)[:MOST_TRENDS]:
        best = max(
            (entry for entry in workspace.suggestions(trend.id) if entry.signal_id in mine),
            key=lambda entry: entry.score,
            default=None,
        )
        if best is not None:
            found.append((best.score, trend, best.why))
    found.sort(key=lambda entry: -entry[0])
    return [(trend, why) for _, trend, why in found[:MOST_SUGGESTED]]


def _twins(request: Request, view: TopicView, trends: tuple[Trend, ...]) -> tuple[TopicView, ...]:
    """What says the same in another language; loading the vectors may take longer than a page, which then does without."""
    site = site_of(request)
    answers: Answers[tuple[TopicView, ...]] = request.app.state.twins
    known = tuple((trend.id, trend.signals, len(trend.history)) for trend in trends)
    question = (view.topic.id, site.workspace.collected(), view.signals, known)
    found = answers.ask(question, lambda: site.workspace.twins(view.topic.id, now=site.now()))
    return found.answer or ()


@router.get("/topics/{identity}/chart")
def topic_chart(request: Request, identity: str) -> Response:
    """The chart's specification, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.topic(identity)
    picture = topic_picture(reader, view.topic, title=chart_title(reader, view))
    if picture is None:
        raise NotFound(f"topic {identity!r} has no chart: no share is known")
    return specification(request, picture)


@router.post("/topics/{identity}/join")
def join(request: Request, identity: str, sent: Sent) -> Response:
    """Attach a topic's signals to a trend, start a trend from them, or refuse a suggestion for good."""
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.topic(identity)
    form = Form.given(sent, ("trend", "name", "by", "refuse", "twin", "not_twin"))
    form.require({"by": str(reader._("Say who you are."))})
    if not any(form.values[key] for key in ("trend", "name", "refuse", "twin", "not_twin")):
        form.errors["trend"] = str(reader._("Choose a trend, or name a new one."))
    if not view.signals:
        form.problem = str(reader._("This topic has no signal yet: it can be attached after the next watch."))
    if not form.ok:
        return _topic_page(request, view, form, status=400)
    by, now = form.values["by"], site.now()
    if form.values["twin"] or form.values["not_twin"]:
        return _join_twin(request, view, form)
    if form.values["name"]:
        made = site.workspace.new_trend(
            name=form.values["name"],
            signals=list(view.signals),
            type=view.topic.type if view.topic.type in TREND_TYPES else "behavioural",  # pyright: ignore[reportArgumentType]
            by=by,
            now=now,
        )
        return done(f"/trends/{made.id}", "done.trend", person=by, name=made.card.name)
    refuse = bool(form.values["refuse"])
    trend = site.workspace.trend(form.values["refuse"] or form.values["trend"])
    for signal in view.signals:
        site.workspace.attach(trend.id, signal, by=by, now=now, refuse=refuse)
    if refuse:
        return done(f"/topics/{view.topic.id}", "done.refused", person=by, name=trend.card.name)
    return done(f"/trends/{trend.id}", "done.attached", person=by, name=trend.card.name)


def _join_twin(request: Request, view: TopicView, form: Form) -> Response:
    """Two topics of one subject in one trend: that of this topic, else the other's, else a new one; or never."""
    site, reader = site_of(request), reader_of(request)
    refuse = bool(form.values["not_twin"])
    other = site.workspace.topic(form.values["not_twin"] or form.values["twin"])
    by, now = form.values["by"], site.now()
    target = view.trend or other.trend
    if not target:
        if refuse:
            return done(f"/topics/{view.topic.id}", person=by)
        made = site.workspace.new_trend(
            name=topic_name(view.topic, reader),
            signals=[*view.signals, *other.signals],
            type=view.topic.type if view.topic.type in TREND_TYPES else "behavioural",  # pyright: ignore[reportArgumentType]
            by=by,
            now=now,
        )
        return done(f"/trends/{made.id}", "done.trend", person=by, name=made.card.name)
    trend = site.workspace.trend(target)
    for signal in other.signals if view.trend else view.signals:
        site.workspace.attach(trend.id, signal, by=by, now=now, refuse=refuse)
    if refuse:
        return done(f"/topics/{view.topic.id}", "done.refused", person=by, name=trend.card.name)
    return done(f"/trends/{trend.id}", "done.attached", person=by, name=trend.card.name)
