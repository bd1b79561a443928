"""Declaring an experiment in the browser: a new one, one from a trend's card, a new version of one."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput, Conflict, NotFound, Refused
from primeta.experiments.declare import Problem
from primeta.experiments.records import DESIGNS, ENTRIES
from primeta.trends.records import Trend
from primeta.warehouse.metrics import MEASURED_ELSEWHERE
from primeta.web.experiment_complaints import complaints
from primeta.web.experiment_form import (
    Rows,
    fields,
    filled_from,
    form_of_plan,
    name_of,
    new_form,
    texts_from,
)
from primeta.web.forms import Form
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of, text_of
from primeta.web.reader import Reader
from primeta.workspace.views import ExperimentView

router = APIRouter()
KINDS = ("arms", "guards", "others")


@router.get("/declare")
def declare_form(request: Request) -> Response:
    site = site_of(request)
    form, rows = new_form(today=site.workspace.day(site.now()), person=person_of(request))
    wanted = request.query_params.get("trend", "")
    if wanted:
        rows = filled_from(form, rows, site.workspace.trend(wanted), site.metrics.values())
    return _page(request, form, rows)


@router.post("/declare")
def declare(request: Request, sent: Sent) -> Response:
    return _declared(request, sent, None)


@router.get("/experiments/{name}/edit")
def edit_form(request: Request, name: str) -> Response:
    site = site_of(request)
    view = site.workspace.experiment(name, now=site.now())
    form, rows = form_of_plan((view.draft or view.versions[-1]).plan)
    form.values |= {"by": person_of(request), "version": str(view.revision)}
    return _page(request, form, rows, view)


@router.post("/experiments/{name}/edit")
def edit(request: Request, name: str, sent: Sent) -> Response:
    site = site_of(request)
    return _declared(request, sent, site.workspace.experiment(name, now=site.now()))


def _declared(request: Request, sent: Sent, view: ExperimentView | None) -> Response:
    """Declare what was typed, or show it again with one complaint beside each mistake."""
    site, reader = site_of(request), reader_of(request)
    rows = Rows.read(text_of(sent, "rows"))
    more = text_of(sent, "more")
    if more in KINDS:
        form, rows = Form.given(sent, fields(rows)), rows.more(more)
        form.values["rows"] = str(rows)
        return _page(request, form, rows, view)
    form = Form.given(sent, fields(rows))
    name = view.name if view else name_of(form.values["name"])
    texts = texts_from(form, rows)
    problems = site.workspace.plan_problems(name, texts)
    form.errors |= complaints(reader, _plain(problems, texts), form.values, rows)
    form.require({"by": str(reader._("Say who you are."))})
    if not form.ok:
        return _page(request, form, rows, view, status=400)
    by = form.values["by"]
    seen = form.values["version"]
    revision = (int(seen) if seen.isdigit() else None) if view else 0
    before = view.versions[-1].version if view else 0
    try:
        plan = site.workspace.plan_from_texts(name, texts)
        made = site.workspace.declare_experiment(plan, by=by, now=site.now(), revision=revision)
    except Conflict:
        return _conflict(request, form, rows, view)
    except Refused:
        # It runs: what was declared is kept beside it, and the page says so.
        made = site.workspace.experiment(name, now=site.now())
    except (BadInput, NotFound) as error:
        form.problem, form.detail = str(reader._("This was not saved")), str(error)
        return _page(request, form, rows, view, status=400)
    place = f"/experiments/{made.name}"
    if made.versions[-1].version == before:
        return done(place, "done.unchanged", person=by)
    if made.draft is not None:
        return done(place, "done.beside", person=by, name=made.name)
    return done(place, "done.declared", person=by, name=made.name)


def _plain(problems: tuple[Problem, ...], texts: dict[str, str]) -> list[Problem]:
    """Without what follows from another mistake: where no arm is named, nobody can say which is the control."""
    keys = {problem.key for problem in problems}
    return [
        problem
        for problem in problems
        if not (problem.key == "control" and "arms" in keys)
        and not (problem.key == "arms" and problem.part and not problem.part.strip())
    ]


def _conflict(request: Request, form: Form, rows: Rows, view: ExperimentView | None) -> Response:
    site, reader = site_of(request), reader_of(request)
    if view is None:
        form.errors["name"] = str(reader._("An experiment of this name is there already; take another one."))
        return _page(request, form, rows, view, status=409)
    newer = site.workspace.experiment(view.name, now=site.now())
    form.values["version"] = str(newer.revision)
    form.problem = str(reader._("Somebody changed this experiment while you were writing"))
    form.detail = str(
        reader._("Your text is kept here. Look at the experiment as it is now; save again to declare yours.")
    )
    return _page(request, form, rows, newer, status=409)


def _page(
    request: Request, form: Form, rows: Rows, view: ExperimentView | None = None, *, status: int = 200
) -> Response:
    site, reader = site_of(request), reader_of(request)
    trend = _trend(request, form.values.get("trend", ""))
    chosen = {text for name, text in form.values.items() if name == "primary" or "-metric-" in name}
    return page(
        request,
        "experiment_edit.html",
        reader,
        status=status,
        place="/experiments",
        form=form,
        rows=rows,
        view=view,
        trend=trend,
        metrics=metric_pairs(request, reader, chosen),
        designs=DESIGNS,
        entries=[
            entry for entry in ENTRIES if entry != "table" or "assignments" in site.workspace.config.tables
        ],
        letters=letters(form, rows),
        attributes=site.workspace.attributes(),
    )


def _trend(request: Request, wanted: str) -> Trend | None:
    if not wanted:
        return None
    try:
        return site_of(request).workspace.trend(wanted)
    except NotFound:
        return None


def metric_pairs(request: Request, reader: Reader, chosen: set[str]) -> list[tuple[str, str]]:
    """Metrics that can be measured here, by their names; what is chosen already stays in the list."""
    views = site_of(request).workspace.metrics()
    lacking = {view.metric.name for view in views if view.why_not.startswith(("needs", "нужно"))}
    pairs = [
        (name, metric.label_in(reader.lang))
        for name, metric in reader.metrics.items()
        if (name not in lacking and name not in MEASURED_ELSEWHERE) or name in chosen
    ]
    known = {name for name, _ in pairs}
    pairs += [(name, name) for name in sorted(chosen - known) if name]
    return sorted(pairs, key=lambda pair: pair[1].casefold())


def letters(form: Form, rows: Rows) -> dict[int, str]:
    """Row → the letter that its arm will carry: the control's own, then A, B …"""
    control = form.values.get("control", "")
    found: dict[int, str] = {}
    for row in range(1, rows.arms + 1):
        found[row] = (
            "" if str(row) == control else chr(ord("a") + sum(1 for letter in found.values() if letter))
        )
    return found
