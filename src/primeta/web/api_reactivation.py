"""Reactivation over HTTP: the documents of `--json`, as they are kept.

A request works nothing out: what is missing is a job, and the refusal says which.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from primeta.errors import BadInput, NotFound, Refused
from primeta.web.api import JobKind, answer
from primeta.web.page import site_of
from primeta.workspace.reactivation_kept import NotKept
from primeta.workspace.reactivation_views import (
    CampaignView,
    FarmsView,
    InterviewsView,
    PolicyKind,
    SourcesView,
)

router = APIRouter(prefix="/api/v1")


class Document(Protocol):
    """A result that knows its document."""

    def as_dict(self) -> dict[str, Any]: ...


def _kept(ask: Callable[[], Document], job: JobKind, command: str) -> Document:
    """What is kept of a question.

    Args:
        ask: Gives it, or refuses.
        job: What works it out.
        command: What asks any other question in the terminal.
    Raises:
        NotFound: it is not worked out yet. Refused: it is another question than the one that is kept.
    """
    try:
        return ask()
    except NotKept as error:
        if error.usual:
            raise _not_yet(str(error), job) from None
        raise _another(str(error), command) from None


def _not_yet(told: str, job: JobKind) -> NotFound:
    return NotFound(f'{told}; post {{"kind": "{job}"}} to /api/v1/jobs, which works it out')


def _another(told: str, command: str) -> Refused:
    return Refused(
        f"{told}. Leave the options out, or ask in the terminal: primeta reactivation {command} --json"
    )


def _told(found: Document, at: datetime | None, stale: bool) -> JSONResponse:
    """The document; its headers say when it was worked out and whether facts have changed since."""
    response = answer(found.as_dict())
    if at is not None:
        response.headers["Last-Modified"] = format_datetime(at.astimezone(UTC), usegmt=True)
    response.headers["Primeta-Stale"] = "true" if stale else "false"
    return response


def _people(view: InterviewsView | FarmsView | SourcesView, what: str, job: JobKind) -> JSONResponse:
    """Of interviews, farms, sources."""
    if view.problem:
        raise BadInput(view.problem)
    if view.result is None:
        raise _not_yet(f"{what} not worked out yet", job)
    return _told(view.result, view.at, view.stale)


@router.get("/reactivation", summary="All campaigns, each with the rung that its ladder has reached")
def campaigns(request: Request) -> JSONResponse:
    site = site_of(request)
    found = site.workspace.campaigns(now=site.now())
    return answer({"campaigns": [_campaign(view) for view in found]})


def _campaign(view: CampaignView) -> dict[str, Any]:
    return {
        "name": view.name,
        "kind": view.kind,
        "first": view.first,
        "last": view.last,
        "customers": view.customers,
        "control": view.control or None,
        "arms": list(view.arms),
        "reached": view.reached,
        "stale": view.kept.stale if view.kept else None,
    }


@router.get("/reactivation/{name}", summary="The ladder of one campaign, as it is kept")
def ladder(
    request: Request,
    name: str,
    control: Annotated[str | None, Query(description="The arm that was left alone")] = None,
    window: Annotated[int | None, Query(ge=1, le=366, description="Days")] = None,
    horizon: Annotated[int | None, Query(ge=1, le=3660, description="Days since assignment")] = None,
    until: Annotated[date | None, Query(description="The last day of the log, inclusive")] = None,
    margin: Annotated[float | None, Query(gt=-1, le=1)] = None,
    by: Annotated[str | None, Query(description="An attribute that was written down at entry")] = None,
    annual_discount: Annotated[float | None, Query(ge=0, le=10)] = None,
) -> JSONResponse:
    site = site_of(request)
    view = site.workspace.campaign(name, now=site.now())
    options = {
        "control": control,
        "window_days": window,
        "horizon_days": horizon,
        "until": until,
        "margin": margin,
        "by": by,
        "annual_discount": annual_discount,
    }
    found = _kept(
        lambda: site.workspace.ladder(view.name, now=site.now(), kept_only=True, **options),
        "ladder",
        f"ladder DIR --experiment {view.name}",
    )
    return _told(found, view.kept.at if view.kept else None, bool(view.kept and view.kept.stale))


@router.get(
    "/reactivation/{name}/interviews", summary="Whom to call of one campaign, and what was said; no ids"
)
def interviews(request: Request, name: str) -> JSONResponse:
    site = site_of(request)
    view = site.workspace.interviews_view(name, now=site.now())
    return _people(view, f"whom to call of {view.campaign.name} is", "interviews")


@router.get(
    "/reactivation/{name}/farms", summary="Accounts that look like one person's, effects without them"
)
def farms(request: Request, name: str) -> JSONResponse:
    site = site_of(request)
    view = site.workspace.farms_view(name, now=site.now())
    return _people(view, f"the farms of {view.campaign.name} are", "farms")


@router.get("/acquisition", summary="What customers of each acquisition source bring, cost and pay back")
def sources(
    request: Request,
    cohort: Annotated[str, Query(description="month, quarter, year or all")] = "quarter",
) -> JSONResponse:
    return _people(site_of(request).workspace.sources_view(cohort), "what sources bring is", "sources")


def _policy(request: Request, name: str, kind: PolicyKind, options: dict[str, Any]) -> JSONResponse:
    site = site_of(request)
    view = site.workspace.policy_view(name, kind, now=site.now())
    ask = {
        "moment": site.workspace.moment,
        "sequence": site.workspace.sequence,
        "discount": site.workspace.discount,
    }[kind]
    found = _kept(
        lambda: ask(view.campaign.name, now=site.now(), kept_only=True, **options),
        "policy",
        f"{kind} DIR --experiment {view.campaign.name}",
    )
    return _told(found, view.at, view.stale)


def _asked(
    control: str | None,
    horizon: int | None,
    until: date | None,
    margin: float | None,
    level: float | None,
) -> dict[str, Any]:
    return {"control": control, "horizon_days": horizon, "until": until, "margin": margin, "level": level}


Control = Annotated[str | None, Query(description="The arm that is never contacted")]
Horizon = Annotated[int | None, Query(ge=1, le=3660, description="Days since the lapse")]
Until = Annotated[date | None, Query(description="The last day of the log, inclusive")]
Margin = Annotated[float | None, Query(gt=-1, le=1)]
By = Annotated[str | None, Query(description="A column beside the assignments, known at the lottery")]
Level = Annotated[float | None, Query(ge=0.5, lt=1)]


@router.get("/reactivation/{name}/moment", summary="The best day since the lapse to write on")
def moment(
    request: Request,
    name: str,
    control: Control = None,
    horizon: Horizon = None,
    until: Until = None,
    margin: Margin = None,
    by: By = None,
    level: Level = None,
) -> JSONResponse:
    asked = _asked(control, horizon, until, margin, level)
    return _policy(request, name, "moment", {"by": by, **asked})


@router.get("/reactivation/{name}/sequence", summary="The best sequence of contacts")
def sequence(
    request: Request,
    name: str,
    control: Control = None,
    horizon: Horizon = None,
    until: Until = None,
    margin: Margin = None,
    by: By = None,
    level: Level = None,
) -> JSONResponse:
    asked = _asked(control, horizon, until, margin, level)
    return _policy(request, name, "sequence", {"by": by, **asked})


@router.get(
    "/reactivation/{name}/discount", summary="The best discount by time since the lapse, under a budget"
)
def discount(
    request: Request,
    name: str,
    control: Control = None,
    horizon: Horizon = None,
    until: Until = None,
    margin: Margin = None,
    by: By = None,
    level: Level = None,
    budget: Annotated[float | None, Query(ge=0, description="Money for discounts and contacts")] = None,
    eligible: Annotated[int, Query(ge=0, description="Customers for whom it is meant")] = 0,
) -> JSONResponse:
    asked = _asked(control, horizon, until, margin, level)
    return _policy(request, name, "discount", {"by": by, "budget": budget, "eligible": eligible, **asked})


@router.get("/reactivation/{name}/whom", summary="Whom to write, beside the simple rules")
def whom(
    request: Request,
    name: str,
    control: Control = None,
    horizon: Horizon = None,
    until: Until = None,
    margin: Margin = None,
    level: Level = None,
) -> JSONResponse:
    site = site_of(request)
    asked = _asked(control, horizon, until, margin, level)
    view = site.workspace.whom_view(name, now=site.now())
    found = _kept(
        lambda: site.workspace.whom(view.campaign.name, now=site.now(), kept_only=True, **asked),
        "whom",
        f"whom DIR --experiment {view.campaign.name}",
    )
    return _told(found, view.at, view.stale)


@router.get(
    "/lapse", summary="Customers by state, the flow of the weeks, what a fixed number of days gets wrong"
)
def lapse(
    request: Request,
    days: Annotated[int | None, Query(ge=1, le=3660, description="The fixed rule to compare with")] = None,
) -> JSONResponse:
    site = site_of(request)
    known = site.workspace.kept_lapse()
    found = _kept(
        lambda: site.workspace.lapse(now=site.now(), days=days, kept_only=True), "lapse", "lapse DIR --days …"
    )
    return _told(found, known.at if known else None, bool(known and known.stale))
