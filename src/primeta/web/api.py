"""The JSON API: the documents of `--json` over HTTP, described by OpenAPI."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from primeta.errors import NotAllowed
from primeta.show.result import plain
from primeta.web.page import site_of
from primeta.workspace.documents import signals_document, trend_document, trends_document
from primeta.workspace.views import Job, SeriesView

router = APIRouter(prefix="/api/v1")


def only_json(request: Request) -> None:
    """A form of another site cannot send JSON without asking first, so only JSON may change things."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if kind != "application/json" or foreign:
        raise NotAllowed("send JSON (Content-Type: application/json) from this address or without an Origin")


def answer(document: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(plain(document), status_code=status)


@router.get("/signals", summary="What was seen, with its evidence")
def signals(request: Request) -> JSONResponse:
    workspace = site_of(request).workspace
    return answer(signals_document(workspace.signals(), workspace.notes()))


@router.get("/trends", summary="Cards with grade, weighing and decision")
def trends(request: Request) -> JSONResponse:
    return answer(trends_document(site_of(request).workspace.trends()))


@router.get("/trends/{trend}", summary="One trend, by its id or name")
def trend(request: Request, trend: str) -> JSONResponse:
    return answer(trend_document(site_of(request).workspace.trend(trend)))


@router.get("/metrics", summary="What is measured, and why the rest is not")
def metrics(request: Request) -> JSONResponse:
    views = site_of(request).workspace.metrics()
    return answer(
        {
            "metrics": [
                {
                    "name": view.metric.name,
                    "unit": view.metric.unit,
                    "good": view.metric.good,
                    "value": view.value,
                    "se": view.se,
                    "slices": view.slices,
                    "signals": view.signals,
                    "why_not": view.why_not,
                }
                for view in views
            ]
        }
    )


@router.get("/metrics/{name}", summary="One metric over time in one slice, with what was expected")
def metric(
    request: Request,
    name: str,
    slice: str = "all",
    grain: Literal["week", "month", "quarter"] = "week",
) -> JSONResponse:
    return answer(_series(site_of(request).workspace.metric_series(name, slice, grain=grain)))


def _series(view: SeriesView) -> dict[str, Any]:
    columns = {
        name: getattr(view, name).tolist()
        for name in ("observed", "se", "customers", "expected", "low", "high")
    }
    starts = view.starts.astype("datetime64[D]").tolist()
    points = [
        {"start": start, **{name: values[index] for name, values in columns.items()}}
        for index, start in enumerate(starts)
    ]
    return {
        "metric": view.metric.name,
        "slice": view.slice,
        "grain": view.grain,
        "points": points,
        "why_not": view.why_not,
    }


@router.get("/doctor", summary="What is wrong with the data, rule by rule")
def doctor(request: Request) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.diagnosis(now=site.now()).as_dict())


JobKind = Literal[
    "watch",
    "look",
    "certify",
    "ladder",
    "lapse",
    "policy",
    "whom",
    "interviews",
    "farms",
    "sources",
    "collect",
    "attention",
    "attention-draft",
    "attention-consents",
    "attention-verify",
]


class NewJob(BaseModel):
    """Work over a second; each kind works out all of its kind that is missing or older than the facts."""

    kind: JobKind


@router.post(
    "/jobs",
    status_code=202,
    summary="Start a job, or follow the one of its kind that waits or runs",
    dependencies=[Depends(only_json)],
)
def start(request: Request, given: NewJob) -> JSONResponse:
    site = site_of(request)
    return answer(_job(site.workspace.start_job(given.kind, now=site.now())), 202)


@router.get("/jobs/{identity}", summary="How far a job is")
def job(request: Request, identity: str) -> JSONResponse:
    return answer(_job(site_of(request).workspace.job(identity)))


def _job(found: Job) -> dict[str, Any]:
    return {
        "id": found.id,
        "kind": found.kind,
        "state": found.state,
        "done": found.done,
        "total": found.total,
        "message": found.message,
    }


class LoggedSign(BaseModel):
    """A sign that a person saw."""

    text: str
    origin: Literal["voice", "outside", "competitor", "regulator", "hand"]
    by: str
    subject: str = ""
    source: str = ""
    happened_at: date | None = None
    url: str = ""
    trend: str | None = None
    direction: Literal["up", "down"] = "up"


class NewTrend(BaseModel):
    """A trend made by hand."""

    name: str
    by: str
    signals: list[str] = Field(default_factory=list)
    type: Literal["behavioural", "technological", "regulatory", "socio-cultural", "commercial"] = (
        "behavioural"
    )


class Attachment(BaseModel):
    """A sign that belongs to a trend, or does not (`refuse`)."""

    signal: str
    by: str
    refuse: bool = False


class CardChanges(BaseModel):
    """New texts of a card's fields; `version` is the one that was looked at."""

    changes: dict[str, str]
    by: str
    version: int | None = None


class Decided(BaseModel):
    """One of the four answers with its criteria, day and owner."""

    answer: Literal["experiment", "observe", "prepare", "reject"]
    criteria: str
    due: date
    owner: str
    by: str
    reason: str = ""


@router.post("/log", status_code=201, summary="Write down a sign", dependencies=[Depends(only_json)])
def log(request: Request, given: LoggedSign) -> JSONResponse:
    site = site_of(request)
    note = site.workspace.log_signal(**given.model_dump(), now=site.now())
    return answer(signals_document((), (note,))["signals"][0], 201)


@router.post("/trends", status_code=201, summary="Make a trend", dependencies=[Depends(only_json)])
def new_trend(request: Request, given: NewTrend) -> JSONResponse:
    site = site_of(request)
    return answer(trend_document(site.workspace.new_trend(**given.model_dump(), now=site.now())), 201)


@router.post("/trends/{trend}/signals", summary="Attach a sign", dependencies=[Depends(only_json)])
def attach(request: Request, trend: str, given: Attachment) -> JSONResponse:
    site = site_of(request)
    changed = site.workspace.attach(trend, given.signal, by=given.by, refuse=given.refuse, now=site.now())
    return answer(trend_document(changed))


@router.patch("/trends/{trend}", summary="Edit a card", dependencies=[Depends(only_json)])
def edit(request: Request, trend: str, given: CardChanges) -> JSONResponse:
    site = site_of(request)
    changed = site.workspace.edit_card(
        trend, changes=given.changes, by=given.by, version=given.version, now=site.now()
    )
    return answer(trend_document(changed))


@router.post(
    "/trends/{trend}/decisions", status_code=201, summary="Decide", dependencies=[Depends(only_json)]
)
def decide(request: Request, trend: str, given: Decided) -> JSONResponse:
    site = site_of(request)
    site.workspace.decide(trend, **given.model_dump(), now=site.now())
    return answer(trend_document(site.workspace.trend(trend)), 201)
