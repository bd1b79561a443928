"""What people do with an experiment: look, start, stop, decide, roll out, write down what was learnt."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput, Conflict, Refused
from primeta.experiments.records import STATES
from primeta.web.forms import Form
from primeta.web.page import Sent, done, reader_of, site_of
from primeta.web.pages.experiments import decision_form, experiment_page
from primeta.workspace.views import ExperimentView

router = APIRouter()
DECIDE_FIELDS = ("state", "arm", "reason", "by", "version")


@router.post("/looks")
def look_now(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    job = site.workspace.start_job("look", now=site.now())
    return done(f"/jobs/{job.id}")


def _act(
    request: Request, name: str, sent, fields: tuple[str, ...]
) -> tuple[ExperimentView, Form, int | None]:
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.experiment(name, now=site.now())
    form = Form.given(sent, fields)
    form.require({"by": str(reader._("Say who you are."))})
    seen = form.values.get("version", "")
    return view, form, int(seen) if seen.isdigit() else None


def _try(
    request: Request, view: ExperimentView, form: Form, act: str, do, target: str, **figures: str
) -> Response:
    """Do what a person asked; where it is refused, the page comes again with the reason and the text."""
    site, reader = site_of(request), reader_of(request)
    if form.ok:
        try:
            do()
            return done(
                f"/experiments/{quote(view.name)}",
                target,
                person=form.values["by"],
                name=view.name,
                **figures,
            )
        except Conflict:
            form.problem = str(reader._("Somebody changed this experiment meanwhile"))
            form.detail = str(
                reader._("Nothing of yours was saved. Look at it as it is now and do it again.")
            )
            view = site.workspace.experiment(view.name, now=site.now())
            form.values["version"] = str(view.revision)
            return experiment_page(request, view, _kept(request, view, form), act=act, status=409)
        except (BadInput, Refused) as error:
            form.problem, form.detail = str(reader._("This was not done")), str(error)
    return experiment_page(request, view, _kept(request, view, form), act=act, status=400)


def _kept(request: Request, view: ExperimentView, form: Form) -> Form:
    """The other fields as they would stand without this form."""
    form.values = {**decision_form(request, view).values, **form.values}
    return form


@router.post("/experiments/{name}/start")
def start(request: Request, name: str, sent: Sent) -> Response:
    site = site_of(request)
    view, form, revision = _act(request, name, sent, ("by", "version", "plan"))
    plan = int(form.values["plan"]) if form.values["plan"].isdigit() else view.versions[-1].version
    return _try(
        request,
        view,
        form,
        "start",
        lambda: site.workspace.start_experiment(
            view.name, by=form.values["by"], now=site.now(), version=plan, revision=revision
        ),
        "done.started",
    )


@router.post("/experiments/{name}/stop")
def stop(request: Request, name: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    view, form, revision = _act(request, name, sent, ("by", "version", "reason"))
    form.require({"reason": str(reader._("Write why: whoever looks at it later will ask."))})
    return _try(
        request,
        view,
        form,
        "stop",
        lambda: site.workspace.stop_experiment(
            view.name, by=form.values["by"], now=site.now(), reason=form.values["reason"], revision=revision
        ),
        "done.stopped",
    )


@router.post("/experiments/{name}/decide")
def decide(request: Request, name: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    view, form, revision = _act(request, name, sent, DECIDE_FIELDS)
    form.one_of("state", STATES, str(reader._("Choose what is to be done.")))
    state, arm = form.values["state"], form.values["arm"]
    said = (view.look.analysis.get("decision") or {}) if view.look else {}
    differs = view.look is not None and (
        state != said.get("state") or (state == "scale" and arm != said.get("arm"))
    )
    if form.ok and not form.values["reason"] and (differs or state in ("harm", "futile", "invalid")):
        form.errors["reason"] = str(
            reader._("The figures say otherwise: write why you decide so.")
            if differs
            else reader._("Write what was learnt, so that it is found again.")
        )
    return _try(
        request,
        view,
        form,
        "decide",
        lambda: site.workspace.decide_experiment(
            view.name,
            state=state,  # pyright: ignore[reportArgumentType]
            arm=arm if state == "scale" else None,
            reason=form.values["reason"],
            by=form.values["by"],
            now=site.now(),
            revision=revision,
        ),
        "done.settled",
    )


@router.post("/experiments/{name}/rollout")
def rollout(request: Request, name: str, sent: Sent) -> Response:
    """The next step, a halt, or a reopening; a step whose gate fails is a halt, and the page says so."""
    site, reader = site_of(request), reader_of(request)
    view, form, revision = _act(request, name, sent, ("by", "version", "reason", "move"))
    move = form.values["move"]
    if move in ("halt", "reopen"):
        form.require({"reason": str(reader._("Write why: whoever looks at it later will ask."))})
        verb = site.workspace.halt_rollout if move == "halt" else site.workspace.reopen_rollout
        return _try(
            request,
            view,
            form,
            "rollout",
            lambda: verb(
                view.name,
                reason=form.values["reason"],
                by=form.values["by"],
                now=site.now(),
                revision=revision,
            ),
            "done.halted" if move == "halt" else "done.reopened",
        )
    moved: list[ExperimentView] = []

    def step() -> None:
        moved.append(
            site.workspace.roll_out(view.name, by=form.values["by"], now=site.now(), revision=revision)
        )

    answer = _try(request, view, form, "rollout", step, "")
    if not moved:
        return answer
    last = moved[0].steps[-1]
    toast = "done.rolled" if last.state == "passed" else "done.halted"
    return done(
        f"/experiments/{quote(view.name)}",
        toast,
        person=form.values["by"],
        name=view.name,
        share=reader.percent(last.share),
    )


@router.post("/experiments/{name}/lesson")
def lesson(request: Request, name: str, sent: Sent) -> Response:
    site, reader = site_of(request), reader_of(request)
    view, form, revision = _act(request, name, sent, ("by", "version", "text"))
    form.require({"text": str(reader._("Write what was learnt, so that it is found again."))})
    return _try(
        request,
        view,
        form,
        "lesson",
        lambda: site.workspace.lesson(
            view.name, form.values["text"], by=form.values["by"], now=site.now(), revision=revision
        ),
        "done.lesson",
    )
