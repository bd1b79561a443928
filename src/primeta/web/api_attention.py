"""Attention over HTTP: health of the base, promises, campaigns, as the newest replay of the year tells them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from primeta.errors import NotFound
from primeta.web.api import answer
from primeta.web.page import site_of
from primeta.workspace.attention_kept import Reports

router = APIRouter(prefix="/api/v1/attention")


def _reports(request: Request) -> Reports:
    found = site_of(request).workspace.attention_reports()
    if found is None:
        raise NotFound(
            "the year is not worked out yet; start it on the page /attention or with primeta attention health DIR"
        )
    return found


@router.get("/health", summary="How much attention customers lend, month by month")
def health(request: Request) -> JSONResponse:
    return answer(_reports(request).health.as_dict())


@router.get("/promises", summary="Promises, how often each was broken, by whom")
def promises(request: Request) -> JSONResponse:
    return answer(_reports(request).promises.as_dict())


@router.get("/campaigns", summary="Campaigns, programmes and teams by the credit that they spent")
def campaigns(request: Request) -> JSONResponse:
    return answer(_reports(request).campaigns.as_dict())
