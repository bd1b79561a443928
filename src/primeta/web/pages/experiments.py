"""Experiments: the list, one experiment from its plan to its rollout, what people decide about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput, NotFound
from primeta.experiments.look import Moment
from primeta.experiments.records import STATES, Amount, Plan, Step
from primeta.experiments.views_words import remarks
from primeta.experiments.views_words import text as told_text
from primeta.show.interval import Scale, scale_of, verdict_of
from primeta.store.experiments import ExperimentEvent
from primeta.trends.records import Trend
from primeta.web import experiment_rows as rows
from primeta.web.background import Answers, Beside
from primeta.web.experiment_checks import checks_of, p_text, segments_differ
from primeta.web.experiment_pictures import course_of, drawn_or_none, size_curve
from primeta.web.experiment_words import (
    finding,
    history_line,
    lead,
    lesson_figures,
    reading,
    said,
    state_word,
)
from primeta.web.forms import Form
from primeta.web.page import page, person_of, reader_of, site_of
from primeta.web.pages.signals import specification
from primeta.web.reader import Reader
from primeta.workspace import Workspace
from primeta.workspace.experiment_size import PlanSize
from primeta.workspace.experiment_words import Reading, why_halted
from primeta.workspace.rollout import STEPS
from primeta.workspace.views import ExperimentView

router = APIRouter()
MOST_LESSONS = 30


# The list


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One experiment in the list: what it says now, how far it is."""

    view: ExperimentView
    finding: str
    state: str
    effects: tuple[rows.EffectRow, ...]
    """Of the primary metric, one an arm."""
    far: rows.HowFar
    scale: Scale
    answered: bool


@router.get("/experiments")
def listing(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    views = site.workspace.experiments(now=site.now())
    query = request.query_params.get("q", "").strip()
    lessons = site.workspace.lessons(query)
    waiting = [view for view in views if view.waits]
    running = [
        view for view in views if view.status in ("running", "rolling", "halted") and view not in waiting
    ]
    over = [view for view in views if view.status == "decided" and view not in waiting]
    scales = _scales(reader, [*waiting, *running])
    return page(
        request,
        "experiments.html",
        reader,
        total=len(views),
        query=query,
        waiting=[_listed(request, reader, view, scales) for view in waiting],
        running=[_listed(request, reader, view, scales) for view in running],
        drafts=[view for view in views if view.status == "draft"],
        over=sorted(
            over, key=lambda view: view.decision.at if view.decision else view.created_at, reverse=True
        ),
        lessons=lessons[:MOST_LESSONS],
        more_lessons=max(len(lessons) - MOST_LESSONS, 0),
        headline=headline_of(reader, views, waiting),
        last_day=rows.last_entry_day,
        primary_name=lambda view: rows.names_of(reader, view.plan).goal(view.plan.primary),
        lesson_figure=lesson_figures(reader, views),
        state_word=lambda state: state_word(reader, state),
    )


def headline_of(reader: Reader, views: Sequence[ExperimentView], waiting: Sequence[ExperimentView]) -> str:
    running = sum(1 for view in views if view.status == "running" and view not in waiting)
    if not views:
        return str(reader._("Nothing has been tried yet"))
    parts = []
    if running:
        parts.append(reader._n("{n:m} experiment runs", "{n:m} experiments run", running))
    if waiting:
        parts.append(reader._n("{n:m} waits for a decision", "{n:m} wait for a decision", len(waiting)))
    if not parts:
        return str(reader._("No experiment is running"))
    if len(parts) == 1:
        return str(parts[0])
    return str(reader._("{first}, and {second}", first=str(parts[0]), second=str(parts[1])))


def _scales(reader: Reader, views: Sequence[ExperimentView]) -> dict[str, Scale]:
    """One scale for each primary metric, so that experiments on it can be compared by eye."""
    by_metric: dict[str, list[rows.EffectRow]] = {}
    for view in views:
        by_metric.setdefault(view.plan.primary.metric, []).extend(_primary(reader, view))
    return {metric: rows.relative_scale_for(found) for metric, found in by_metric.items()}


def _primary(reader: Reader, view: ExperimentView) -> list[rows.EffectRow]:
    if view.look is None:
        return []
    return [row for row in rows.effects_of(reader, view, view.look) if row.role == "primary"]


def _listed(request: Request, reader: Reader, view: ExperimentView, scales: Mapping[str, Scale]) -> Listed:
    site = site_of(request)
    return Listed(
        view=view,
        finding=finding(reader, view, site.workspace),
        state=view.look.state if view.look else "",
        effects=tuple(_primary(reader, view)),
        far=rows.how_far(reader, view, site.workspace.day(site.now())),
        scale=scales[view.plan.primary.metric],
        answered=view.waits,
    )


# One experiment


@router.get("/experiments/{name}")
def one(request: Request, name: str) -> Response:
    site = site_of(request)
    return experiment_page(request, site.workspace.experiment(name, now=site.now()))


def experiment_page(
    request: Request,
    view: ExperimentView,
    form: Form | None = None,
    *,
    act: str = "",
    status: int = 200,
) -> Response:
    """The page of an experiment; `form` is shown again where the act `act` could not be done."""
    site, reader = site_of(request), reader_of(request)
    today = site.workspace.day(site.now())
    look, plan = view.look, view.plan
    names, read = rows.names_of(reader, view.plan), reading(reader, site.workspace)
    shown = view.decided_look or look
    effects = rows.effects_of(reader, view, shown) if shown else []
    segments = rows.effects_of(reader, view, shown, key="segments") if shown else []
    words = rows.arm_words(reader, view, shown) if shown else []
    money = [end for word in words for end in (word.low, word.high) if end == end]
    size = _size(request, view)
    return page(
        request,
        "experiment.html",
        reader,
        status=status,
        view=view,
        plan=plan,
        look=shown,
        newer=look if shown is not look else None,
        title=finding(reader, view, site.workspace),
        lead=lead(reader, view),
        tags=rows.tags_of(reader, view),
        trend=_trend(request, view),
        far=rows.how_far(reader, view, today),
        last_day=rows.last_entry_day(view),
        goals=[(goal, names.goal(goal), rows.rule_text(names, goal)) for goal in view.plan.goals],
        picture=drawn_or_none(course_of(reader, view, _moments(request, view))),
        effects=effects,
        scale=rows.scale_for(effects),
        segments=segments,
        segment_scale=rows.scale_for(segments),
        segments_differ=segments_differ(reader, view, shown) if shown else [],
        has_audience=view.status == "running" and (plan.entry == "table" or today >= plan.starts),
        words=words,
        money_scale=scale_of(money),
        money_verdict=lambda word: verdict_of(word.low, word.high),
        checks=checks_of(reader, view, shown) if shown else None,
        remarks=remarks(names, shown.analysis) if shown else [],
        size=size,
        size_picture=drawn_or_none(size_curve(reader, size.answer)) if size and size.answer else None,
        guesses={told_text(code, reader.lang) for code in ("size.worth", "size.certainty")},
        size_reloads=view.status == "draft" and size is not None and size.working,
        states=STATES,
        steps=STEPS,
        gates=[(gate, why_halted(view, gate.name, read)) for gate in view.gates],
        next_share=next((share for share in STEPS if share > view.share), 1.0),
        form=form or decision_form(request, view),
        act=act,
        history=[
            (event, history_line(reader, view, event), said(event)) for event in reversed(notable(view))
        ],
        state_word=lambda state: state_word(reader, state),
        lesson_figure=lesson_figures(reader, [view]),
        interval_label=lambda row: rows.interval_label(reader, row),
        p_text=lambda p: p_text(reader, p),
        size_ticks=lambda scale: [reader.number(tick) for tick in scale.ticks],
        rule_of=lambda goal: rows.rule_text(names, goal),
        plan_note=plan_note(reader, view),
        plain_form=Form(values={"by": person_of(request)}),
        halted_words=step_why(read, view, view.steps[-1]) if view.steps else "",
        step_why=lambda step: step_why(read, view, step),
        acting=ACTING.get(view.status, ""),
        acting_words=str(reader._("Decide"))
        if view.status in ("running", "ended")
        else str(reader._("Start it") if view.status == "draft" else reader._("Rollout")),
    )


ACTING = {
    "draft": "start",
    "running": "decide",
    "ended": "decide",
    "rolling": "rollout",
    "halted": "rollout",
}
"""Status → the card that a person came to act on; on a phone a button leads there."""


def plan_note(reader: Reader, view: ExperimentView) -> str:
    version = next(entry for entry in view.versions if entry.version == view.version)
    return str(reader._("version {n}, {by}, {day:date}", n=version.version, by=version.by, day=version.at))


def notable(view: ExperimentView) -> list[ExperimentEvent]:
    """The history without looks that said what the look before them said."""
    told: list[ExperimentEvent] = []
    last = ""
    for event in view.events:
        if event.kind == "looked":
            state = str(event.what.get("state") or "")
            if state == last:
                continue
            last = state
        told.append(event)
    return told


def step_why(read: Reading, view: ExperimentView, step: Step) -> str:
    """Why a rollout was halted: the gates that failed, in words; what a person wrote stays as it was written."""
    return why_halted(view, step.why, read) if step.by == "primeta" else step.why


def decision_form(request: Request, view: ExperimentView) -> Form:
    """What the analysis says is chosen already: a person confirms it, or says why not."""
    look = view.look
    verdict = (look.analysis.get("decision") or {}) if look else {}
    treated = [arm.name for arm in view.plan.treated]
    return Form(
        values={
            "state": str(verdict.get("state") or ""),
            "arm": str(verdict.get("arm") or (treated[0] if treated else "")),
            "reason": "",
            "text": "",
            "by": person_of(request),
            "version": str(view.revision),
        }
    )


def _trend(request: Request, view: ExperimentView) -> Trend | None:
    if not view.plan.trend:
        return None
    try:
        return site_of(request).workspace.trend(view.plan.trend)
    except NotFound:
        return None


def _size(request: Request, view: ExperimentView) -> Beside[PlanSize] | None:
    """What the newest version can show, where it has not been started; it is worked out beside the page."""
    site = site_of(request)
    draft = view.draft or (view.versions[-1] if view.status == "draft" else None)
    if draft is None:
        return None
    now = site.now()
    answers: Answers[PlanSize] = request.app.state.sizes
    return answers.ask(
        (draft.plan, site.workspace.day(now)),
        lambda: sized(site.workspace, draft.plan, now),
    )


def sized(workspace: Workspace, plan: Plan, now: datetime) -> PlanSize:
    """What a plan can show; where its effect has a price, what knowing it is worth if effects are usually that large."""
    smallest = plan.primary.smallest
    if smallest is None or plan.primary.value is None:
        return workspace.size_experiment(plan, now=now)
    usual = Amount(0.0, smallest.relative), Amount(abs(smallest.value), smallest.relative)
    try:
        return workspace.size_experiment(plan, now=now, belief=usual)
    except BadInput:
        # A ratio has no price per customer: its size is told without one.
        return workspace.size_experiment(plan, now=now)


def _moments(request: Request, view: ExperimentView) -> tuple[Moment, ...] | None:
    """The interval on every day; None where working that out takes longer, or cannot be done now."""
    if view.look is None:
        return None
    site = site_of(request)
    now = site.now()
    answers: Answers[tuple[Moment, ...]] = request.app.state.courses
    return answers.ask(
        (view.name, view.revision, site.workspace.day(now)),
        lambda: site.workspace.look_history(view.name, now=now),
    ).answer


@router.get("/experiments/{name}/chart")
def chart(request: Request, name: str) -> Response:
    """The specification of the interval over time, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.experiment(name, now=site.now())
    picture = course_of(reader, view, _moments(request, view))
    if picture is None:
        raise NotFound(f"{view.name} has no chart yet: nobody has looked at it")
    return specification(request, picture)


@router.get("/experiments/{name}/size-chart")
def size_chart(request: Request, name: str) -> Response:
    """The specification of the smallest effect over time, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.experiment(name, now=site.now())
    size = _size(request, view)
    picture = size_curve(reader, size.answer) if size and size.answer else None
    if picture is None:
        raise NotFound(f"{view.name} has no such chart")
    return specification(request, picture)
