"""Reactivation over HTTP: the documents of `--json`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from primeta.web.api import answer
from primeta.web.page import site_of
from primeta.workspace.reactivation_views import CampaignView

router = APIRouter(prefix="/api/v1")


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


@router.get("/reactivation/{name}", summary="The ladder of one campaign, worked out where it is not kept")
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
    found = site.workspace.ladder(
        name,
        now=site.now(),
        control=control,
        window_days=window,
        horizon_days=horizon,
        until=until,
        margin=margin,
        by=by,
        annual_discount=annual_discount,
    )
    return answer(found.as_dict())


@router.get(
    "/reactivation/{name}/interviews", summary="Whom to call of one campaign, and what was said; no ids"
)
def interviews(request: Request, name: str) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.interviews(name, now=site.now(), keep=False).as_dict())


@router.get(
    "/reactivation/{name}/farms", summary="Accounts that look like one person's, effects without them"
)
def farms(request: Request, name: str) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.farms(now=site.now(), experiment=name).as_dict())


@router.get("/sources", summary="What customers of each acquisition source bring, cost and pay back")
def sources(
    request: Request,
    cohort: Annotated[str, Query(description="month, quarter, year or all")] = "quarter",
) -> JSONResponse:
    return answer(site_of(request).workspace.sources(cohort=cohort).as_dict())


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
    site = site_of(request)
    asked = _asked(control, horizon, until, margin, level)
    return answer(site.workspace.moment(name, now=site.now(), by=by, **asked).as_dict())


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
    site = site_of(request)
    asked = _asked(control, horizon, until, margin, level)
    return answer(site.workspace.sequence(name, now=site.now(), by=by, **asked).as_dict())


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
    site = site_of(request)
    asked = _asked(control, horizon, until, margin, level)
    found = site.workspace.discount(name, now=site.now(), by=by, budget=budget, eligible=eligible, **asked)
    return answer(found.as_dict())


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
    return answer(site.workspace.whom(name, now=site.now(), **asked).as_dict())


@router.get(
    "/lapse", summary="Customers by state, the flow of the weeks, what a fixed number of days gets wrong"
)
def lapse(
    request: Request,
    days: Annotated[int | None, Query(ge=1, le=3660, description="The fixed rule to compare with")] = None,
) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.lapse(now=site.now(), days=days).as_dict())
