"""What customers have before their eyes, over HTTP: one shade, the first days, reviewers' marks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from primeta.web.api import answer, only_json
from primeta.web.page import site_of

router = APIRouter(prefix="/api/v1/attention")


class Mark(BaseModel):
    """Would a reviewer wait for the next message like this one?"""

    customer: str = Field(max_length=40, description="Pseudonym of whom it went to")
    message_id: str = Field(max_length=500)
    mark: Literal["yes", "no", "neutral", ""] = Field(description="Empty takes the mark back")
    by: str = Field(max_length=200)
    note: str = Field(default="", max_length=2000)


@router.get("/customers/{pseudonym}", summary="What lies on one customer's shade and in his mailbox, and why")
def customer(
    request: Request,
    pseudonym: str,
    at: Annotated[
        datetime | None, Query(description="By the customer's own clock where it has no zone; default: now")
    ] = None,
    known: Annotated[
        Literal["then", "today"], Query(description="Consents, credit and promises as known then, or today")
    ] = "then",
) -> JSONResponse:
    site = site_of(request)
    view = site.workspace.customer_view(pseudonym, now=site.now(), at=at, known=known)
    return answer(view.as_dict())


@router.get("/first-days", summary="What new customers received in their first days")
def first_days(
    request: Request,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    registered_from: date | None = None,
    registered_to: date | None = None,
) -> JSONResponse:
    site = site_of(request)
    found = site.workspace.first_days(
        now=site.now(), days=days, registered_from=registered_from, registered_to=registered_to
    )
    return answer(found.as_dict())


@router.get(
    "/marks",
    summary="Would reviewers wait for the next message? By campaign, programme, purpose, and each mark",
)
def marks(request: Request) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.touch_marks(now=site.now()).as_dict())


@router.post("/marks", summary="Mark one message", dependencies=[Depends(only_json)])
def mark(request: Request, given: Mark) -> JSONResponse:
    site = site_of(request)
    site.workspace.mark_touch(
        given.customer, given.message_id, given.mark, by=given.by, now=site.now(), note=given.note
    )
    return answer({"message_id": given.message_id, "reviewer": given.by.strip(), "mark": given.mark}, 201)
