"""Trends: the board, the card, what people do with a card."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput, NotFound
from primeta.facts import Grain
from primeta.show.chart import Picture
from primeta.show.interval import Scale, verdict_of
from primeta.signals.signal import Signal
from primeta.trends.evidence import STRENGTH, strongest
from primeta.trends.records import (
    ANSWERS,
    CARD_FIELDS,
    DECOMPOSITION,
    TREND_TYPES,
    Scenario,
    Trend,
)
from primeta.web.card_words import edit_link, input_note, money_say, told
from primeta.web.charts import drawn, picture_of
from primeta.web.evidence_grid import grid_of
from primeta.web.experiment_words import finding as experiment_finding
from primeta.web.experiment_words import state_word
from primeta.web.forms import Form
from primeta.web.grade_words import why_graded
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of
from primeta.web.pages.signals import finding, specification
from primeta.web.pages.topics import chart_title
from primeta.web.reader import Reader
from primeta.web.texts_pictures import topic_picture
from primeta.workspace.people import names_a_number

router = APIRouter()
DECIDE_FIELDS = ("answer", "criteria", "due", "owner", "by", "reason")
DUE_IN = timedelta(weeks=8)
MOST_SUGGESTED = 4


@router.get("/trends")
def board(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    found = sorted(
        site.workspace.trends(),
        key=lambda trend: (-STRENGTH[trend.evidence.grade], -_at_stake(trend), trend.card.name),
    )
    undecided = [trend for trend in found if trend.decision is None]
    columns = [("", [trend for trend in undecided if STRENGTH[trend.evidence.grade] >= STRENGTH["holding"]])]
    columns += [
        (answer, [trend for trend in found if trend.decision and trend.decision.answer == answer])
        for answer in ANSWERS
    ]
    early = [trend for trend in undecided if STRENGTH[trend.evidence.grade] < STRENGTH["holding"]]
    return page(
        request,
        "trends.html",
        reader,
        trends=found,
        columns=columns,
        early=early,
        money=lambda trend: _money(reader, trend),
    )


def _at_stake(trend: Trend) -> float:
    scenario = trend.weighing.scenario("money") if trend.weighing else None
    return abs(scenario.p50) if scenario and math.isfinite(scenario.p50) else -1.0


def _money(reader: Reader, trend: Trend):
    scenario = trend.weighing.scenario("money") if trend.weighing else None
    if scenario is None or not math.isfinite(scenario.p50):
        return None
    return reader.figure(scenario.p50, "money", scenario.p10, scenario.p90, sign=True)


@router.get("/trends/new")
def new_form(request: Request) -> Response:
    values = {
        "type": "behavioural",
        "by": person_of(request),
        "signals": request.query_params.get("signal", ""),
    }
    return page(request, "trend_new.html", form=Form(values=values), types=TREND_TYPES)


@router.post("/trends/new")
def new(request: Request, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    form = Form.given(sent, ("name", "type", "by", "signals"))
    form.require(
        {
            "name": str(reader._("Give it a name: what is changing, in a few words.")),
            "by": str(reader._("Say who you are.")),
        }
    )
    form.one_of("type", TREND_TYPES, str(reader._("Choose a type.")))
    if form.ok:
        try:
            trend = site.workspace.new_trend(
                name=form.values["name"],
                type=form.values["type"],  # pyright: ignore[reportArgumentType]
                signals=[form.values["signals"]] if form.values["signals"] else [],
                by=form.values["by"],
                now=site.now(),
            )
            return done(f"/trends/{trend.id}", "done.trend", person=form.values["by"], name=trend.card.name)
        except (BadInput, NotFound) as error:
            form.problem, form.detail = str(reader._("This was not saved")), str(error)
    return page(request, "trend_new.html", reader, status=400, form=form, types=TREND_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRow:
    """One outcome of the scenarios with its own scale; zero stands at the same place in all rows."""

    scenario: Scenario
    scale: Scale
    verdict: str


@router.get("/trends/{identity}")
def card(request: Request, identity: str) -> Response:
    trend = site_of(request).workspace.trend(identity)
    return _card(request, reader_of(request), trend, _decision_form(request, trend))


def _decision_form(request: Request, trend: Trend) -> Form:
    site = site_of(request)
    today = site.workspace.day(site.now())
    return Form(
        values={
            "answer": "",
            "criteria": trend.card.criteria,
            "due": (trend.card.review or today + DUE_IN).isoformat(),
            "owner": trend.card.owner or person_of(request),
            "by": person_of(request),
            "reason": "",
        }
    )


def _card(
    request: Request, reader: Reader, trend: Trend, form: Form, attach: Form | None = None, status: int = 200
) -> Response:
    site = site_of(request)
    signs = _signs(request, trend)
    signals = [entry for entry in signs if isinstance(entry, Signal)]
    lead = strongest(signals)
    # Of a topic no smallest effect was declared.
    matters = lead.frozen.smallest_effect if lead and not lead.topic else math.nan
    evidence = trend.evidence
    counted: dict[Grain, tuple[int, int]] = {
        "week": evidence.weeks,
        "month": evidence.months,
        "quarter": evidence.quarters,
    }
    names = {view.name: view.label_in(reader.lang) for view in reader.metrics.values()}
    suggested = []
    for entry in site.workspace.suggestions(trend.id):
        try:
            suggested.append((entry, site.workspace.sign(entry.signal_id)))
        except NotFound:
            continue
    return page(
        request,
        "trend.html",
        reader,
        status=status,
        trend=trend,
        card=trend.card,
        signs=signs,
        matters=matters,
        grid=grid_of(reader, evidence.origins, counted=counted, matters=matters)
        if evidence.origins
        else None,  # pyright: ignore[reportArgumentType]
        why_graded=why_graded(reader, evidence),
        picture=_picture(request, reader, lead),
        rows=_scenario_rows(trend),
        form=form,
        attach=attach or Form(values={"by": person_of(request)}),
        suggested=suggested,
        most_suggested=MOST_SUGGESTED,
        tests=[
            (view, experiment_finding(reader, view, site.workspace))
            for view in site.workspace.experiments_of(trend.id, now=site.now())
        ],
        state_word=lambda state: state_word(reader, state),
        missing=set(trend.card.missing()),
        metric_names=names,
        answers=ANSWERS,
        field_names=CARD_FIELDS,
        parts=DECOMPOSITION,
        names_a_number=names_a_number,
        none_number=math.nan,
        money_say=lambda weighing: money_say(reader, weighing),
        input_note=lambda given, figure: input_note(reader, given, figure),
        edit_link=lambda trend: edit_link(reader, trend),
        told=lambda event: told(reader, event),
        signal_title=lambda entry: finding(reader, entry) if isinstance(entry, Signal) else entry.subject,
    )


def _signs(request: Request, trend: Trend) -> list[Any]:
    workspace = site_of(request).workspace
    by_id = {entry.id: entry for entry in (*workspace.signals(), *workspace.notes())}
    return [by_id[identity] for identity in trend.signals if identity in by_id]


def _picture(request: Request, reader: Reader, lead: Signal | None):
    picture = _drawing(request, reader, lead) if lead else None
    return drawn(picture) if picture else None


def _drawing(request: Request, reader: Reader, lead: Signal) -> Picture | None:
    """The series of a metric, or how much each source speaks of a topic."""
    workspace = site_of(request).workspace
    try:
        if lead.topic:
            view = workspace.topic(lead.topic)
            return topic_picture(reader, view.topic, title=chart_title(reader, view))
        return picture_of(reader, workspace.signal_series(lead.id), title=finding(reader, lead))
    except NotFound:
        return None


def _scenario_rows(trend: Trend) -> list[ScenarioRow]:
    """Rows whose zeros are aligned: each scale is stretched around the same place of zero."""
    if trend.weighing is None:
        return []
    known = [entry for entry in trend.weighing.scenarios if math.isfinite(entry.p50)]
    shares = [
        (max(-min(entry.p10, 0.0), 0.0) / reach, max(entry.p90, 0.0) / reach)
        for entry in known
        if (reach := max(abs(entry.p10), abs(entry.p90))) > 0
    ]
    left, right = max([0.1, *(pair[0] for pair in shares)]), max([0.1, *(pair[1] for pair in shares)])
    rows = []
    for entry in trend.weighing.scenarios:
        reach = max(abs(entry.p10), abs(entry.p90)) if math.isfinite(entry.p50) else 1.0
        reach = (reach or 1.0) * 1.08
        rows.append(
            ScenarioRow(
                scenario=entry,
                scale=Scale(-left * reach, right * reach, ()),
                verdict=verdict_of(entry.p10, entry.p90),
            )
        )
    return rows


@router.get("/trends/{identity}/chart")
def card_chart(request: Request, identity: str) -> Response:
    """The specification of the card's chart, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    lead = strongest([entry for entry in _signs(request, trend) if isinstance(entry, Signal)])
    picture = _drawing(request, reader, lead) if lead else None
    if picture is None:
        raise NotFound(f"{trend.card.name} has no chart: no metric or topic has seen it")
    return specification(request, picture)


@router.post("/trends/{identity}/decide")
def decide(request: Request, identity: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    form = Form.given(sent, DECIDE_FIELDS)
    form.one_of("answer", ANSWERS, str(reader._("Choose one of the four answers.")))
    form.require(
        {
            "criteria": str(reader._("Write what must be seen by that day to call it a success.")),
            "owner": str(reader._("Name who answers for it.")),
            "by": str(reader._("Say who you are.")),
        }
    )
    due = form.day("due", str(reader._("Name the day on which it is judged.")))
    if due and due <= site.workspace.day(site.now()):
        form.errors["due"] = str(reader._("This day has passed; name one ahead."))
    answer = form.values["answer"]
    if (
        form.values["criteria"]
        and answer in ("experiment", "observe")
        and not names_a_number(form.values["criteria"])
    ):
        form.errors["criteria"] = str(reader._("How much? Name a number, or nobody can judge it on the day."))
    if answer == "reject" and not form.values["reason"]:
        form.errors["reason"] = str(reader._("Write why, so that it is not reopened."))
    if not form.ok or due is None:
        return _card(request, reader, trend, form, status=400)
    site.workspace.decide(
        trend.id,
        answer=answer,  # pyright: ignore[reportArgumentType]
        criteria=form.values["criteria"],
        due=due,
        owner=form.values["owner"],
        by=form.values["by"],
        now=site.now(),
        reason=form.values["reason"],
    )
    return done(
        f"/trends/{trend.id}",
        "done.decided",
        person=form.values["by"],
        answer=answer,
        due=due.isoformat(),
    )


@router.post("/trends/{identity}/signals")
def change_signals(request: Request, identity: str, sent: Sent) -> Response:
    """Attach a suggested sign, or take one out; a refusal is remembered."""
    site, reader = site_of(request), reader_of(request)
    trend = site.workspace.trend(identity)
    form = Form.given(sent, ("by", "attach", "refuse"))
    form.require({"by": str(reader._("Say who you are."))})
    if not form.ok:
        return _card(request, reader, trend, _decision_form(request, trend), form, status=400)
    sign, refuse = (form.values["refuse"], True) if form.values["refuse"] else (form.values["attach"], False)
    site.workspace.attach(trend.id, sign, by=form.values["by"], now=site.now(), refuse=refuse)
    return done(
        f"/trends/{trend.id}",
        "done.refused" if refuse else "done.attached",
        person=form.values["by"],
        name=trend.card.name,
    )
