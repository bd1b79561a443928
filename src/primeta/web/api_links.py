"""Links for messages over HTTP: of one message, or of many at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from primeta.attention.links import Link
from primeta.errors import BadInput
from primeta.web.api import answer, only_json
from primeta.web.page import site_of
from primeta.workspace.attention_links import LinkMaker

router = APIRouter(prefix="/api/v1/attention")
MOST_MESSAGES = 50_000

Text = Annotated[str, Field(max_length=256)]


class Message(BaseModel):
    """One message that is about to be sent."""

    customer: Text = ""
    channel: Text = ""
    purpose: Text = ""
    programme: Text = ""
    campaign: Text = ""
    message_id: Text = ""
    personalised: bool | None = None
    """Whether it uses what is known of the customer."""


class Messages(Message):
    """One message, or many in `messages`."""

    messages: Annotated[list[Message], Field(max_length=MOST_MESSAGES)] | None = None
    base_url: Text = ""
    """Where customers reach the pages; empty: `public_url` of the workspace."""


@router.post(
    "/links",
    summary="The addresses by which a customer unsubscribes, chooses and asks why; one message or many",
    dependencies=[Depends(only_json)],
)
def links(request: Request, asked: Messages) -> JSONResponse:
    site = site_of(request)
    maker = LinkMaker(site.workspace, now=site.now(), base_url=asked.base_url)
    if asked.messages is None:
        return answer(_links(maker, asked))
    return answer(
        {"links": [_links(maker, message, place) for place, message in enumerate(asked.messages, 1)]}
    )


def _links(maker: LinkMaker, message: Message, place: int = 0) -> dict[str, Any]:
    link = Link(
        customer_id=message.customer,
        channel=message.channel,
        purpose=message.purpose.strip().lower(),
        programme=message.programme or message.campaign,
        message_id=message.message_id,
        personalised=message.personalised,
        issued=maker.today,
    )
    try:
        return maker.links(link).as_dict()
    except BadInput as error:
        raise BadInput(f"message {place}: {error}" if place else str(error)) from None
