"""Experiments over HTTP: the documents of `--json`, the verbs of the terminal, audiences as files for a sender."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from primeta.errors import NotFound
from primeta.web.api import answer, only_json
from primeta.web.page import Site, site_of
from primeta.workspace.experiment_documents import (
    experiment_document,
    experiments_document,
    lessons_document,
)
from primeta.workspace.views import ExperimentView

router = APIRouter(prefix="/api/v1")
changing = [Depends(only_json)]
MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class Act(BaseModel):
    """Who acts, and on what he was looking at."""

    by: str
    revision: int | None = Field(
        None, description="`revision` of what was looked at; refused where it has changed since."
    )


class Declared(Act):
    """A plan under the keys of `[experiments.NAME]` in the workspace file."""

    name: str
    plan: dict[str, Any]


class Started(Act):
    """The newest version is started; `version` says which one was meant."""

    version: int | None = None


class Stopped(Act):
    """Nobody enters from now on."""

    reason: str = ""


class DecidedExperiment(Act):
    """What is to be done, on the numbers of the last look."""

    state: Literal["scale", "harm", "futile", "continue", "invalid"]
    arm: str | None = None
    reason: str = ""


class Rolled(Act):
    """The next step of a rollout; or a halt or a reopening, with its reason."""

    move: Literal["next", "halt", "reopen"] = "next"
    share: float | None = None
    reason: str = ""


class Learnt(Act):
    """What was learnt, in words that somebody will search for."""

    text: str


@router.get("/experiments", summary="All experiments, oldest first, each with its newest look")
def experiments(request: Request) -> JSONResponse:
    site = site_of(request)
    return answer(experiments_document(site.workspace.experiments(now=site.now())))


@router.get("/lessons", summary="What was learnt, newest first; `q` are words that must be there")
def lessons(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> JSONResponse:
    return answer(lessons_document(site_of(request).workspace.lessons(q)))


@router.get(
    "/experiments/{name}", summary="One experiment: plan, versions, looks, decision, rollout, lessons"
)
def experiment(request: Request, name: str) -> JSONResponse:
    return answer(experiment_document(_view(site_of(request), name)))


@router.get("/experiments/{name}/look", summary="The newest look: effects, checks, decision")
def look(request: Request, name: str) -> JSONResponse:
    view = _view(site_of(request), name)
    if view.look is None:
        raise NotFound(f"nobody has looked at {view.name} yet; post to /api/v1/experiments/{view.name}/look")
    return answer(_look(view))


def _look(view: ExperimentView) -> dict[str, Any]:
    found = view.look
    assert found is not None
    return {
        "experiment": view.name,
        "version": found.version,
        "number": found.number,
        "seen_until": found.seen_until,
        "at": found.at,
        "counts": dict(found.counts),
        **found.analysis,
    }


@router.get(
    "/experiments/{name}/size", summary="What the newest version takes and can show, by the team's history"
)
def size(request: Request, name: str) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.size_experiment(name, now=site.now()).as_dict())


@router.post("/experiments/{name}/look", status_code=201, summary="Look at it now", dependencies=changing)
def look_now(request: Request, name: str) -> JSONResponse:
    site = site_of(request)
    site.workspace.look(name, now=site.now())
    return answer(_look(_view(site, name)), 201)


@router.get(
    "/experiments/{name}/audience",
    summary="Customers of one arm, for a sender",
    response_class=FileResponse,
    responses={200: {"content": {media.partition(";")[0]: {} for media in MEDIA.values()}}},
)
def audience(
    request: Request, name: str, arm: str, format: Literal["csv", "parquet"] = "csv"
) -> FileResponse:
    site = site_of(request)
    view = _view(site, name)
    folder = tempfile.TemporaryDirectory(prefix="primeta-audience-")
    place = Path(folder.name) / f"audience.{format}"
    try:
        site.workspace.audience(view.name, arm=arm, out=place, now=site.now())
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(
        place,
        media_type=MEDIA[format],
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{view.name}-{arm}.{format}')}"
        },
        background=BackgroundTask(folder.cleanup),
    )


@router.get("/certificate", summary="How often experiments are wrong on these customers, metric by metric")
def certificate(request: Request) -> JSONResponse:
    found = site_of(request).workspace.last_certificate()
    if found is None:
        raise NotFound("no certificate has been made in this workspace yet; run `primeta certify`")
    return answer(found.as_dict())


@router.post(
    "/experiments", status_code=201, summary="Declare an experiment, or a new version", dependencies=changing
)
def declare(request: Request, given: Declared) -> JSONResponse:
    site = site_of(request)
    plan = site.workspace.plan_experiment(given.name, given.plan)
    view = site.workspace.declare_experiment(plan, by=given.by, now=site.now(), revision=given.revision)
    return answer(experiment_document(view), 201)


@router.post("/experiments/{name}/start", summary="Start the newest version", dependencies=changing)
def start(request: Request, name: str, given: Started) -> JSONResponse:
    return _done(
        request, lambda site: site.workspace.start_experiment(name, **given.model_dump(), now=site.now())
    )


@router.post("/experiments/{name}/stop", summary="Stop it: nobody enters any more", dependencies=changing)
def stop(request: Request, name: str, given: Stopped) -> JSONResponse:
    return _done(
        request, lambda site: site.workspace.stop_experiment(name, **given.model_dump(), now=site.now())
    )


@router.post("/experiments/{name}/decide", summary="Decide on the last look", dependencies=changing)
def decide(request: Request, name: str, given: DecidedExperiment) -> JSONResponse:
    return _done(
        request, lambda site: site.workspace.decide_experiment(name, **given.model_dump(), now=site.now())
    )


@router.post(
    "/experiments/{name}/rollout", summary="The next step, a halt, a reopening", dependencies=changing
)
def rollout(request: Request, name: str, given: Rolled) -> JSONResponse:
    def do(site: Site) -> ExperimentView:
        told = {"by": given.by, "now": site.now(), "revision": given.revision}
        if given.move == "halt":
            return site.workspace.halt_rollout(name, reason=given.reason, **told)
        if given.move == "reopen":
            return site.workspace.reopen_rollout(name, reason=given.reason, **told)
        return site.workspace.roll_out(name, share=given.share, **told)

    return _done(request, do)


@router.post("/experiments/{name}/lesson", summary="Write down what was learnt", dependencies=changing)
def lesson(request: Request, name: str, given: Learnt) -> JSONResponse:
    return _done(
        request,
        lambda site: site.workspace.lesson(
            name, given.text, by=given.by, now=site.now(), revision=given.revision
        ),
    )


def _view(site: Site, name: str) -> ExperimentView:
    return site.workspace.experiment(name, now=site.now())


def _done(request: Request, do: Callable[[Site], ExperimentView]) -> JSONResponse:
    return answer(experiment_document(do(site_of(request))))
