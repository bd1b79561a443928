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
    "/lapse", summary="Customers by state, the flow of the weeks, what a fixed number of days gets wrong"
)
def lapse(
    request: Request,
    days: Annotated[int | None, Query(ge=1, le=3660, description="The fixed rule to compare with")] = None,
) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.lapse(now=site.now(), days=days).as_dict())
