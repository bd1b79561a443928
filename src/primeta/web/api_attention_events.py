"""Events of attention over HTTP, as they happen: one by one or many in one delivery."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from primeta.show.locale import Language
from primeta.web.api import answer, only_json
from primeta.web.page import site_of
from primeta.workspace.attention_events import MOST, receive

router = APIRouter(prefix="/api/v1/attention")

MOST_BYTES = 16 << 20
BY = "api"
"""Who told, where an event does not say."""
_EVENT = {
    "type": "object",
    "required": ["kind", "customer_id", "happened_at", "payload"],
    "properties": {
        "key": {"type": "string", "description": "The sender's own id of the event: told twice it is kept once"},
        "kind": {
            "type": "string",
            "enum": ["notice", "consent", "preference", "promise", "wish", "touch", "reaction", "text"],
        },
        "customer_id": {"type": "string"},
        "happened_at": {"type": "string", "format": "date-time"},
        "payload": {"type": "object"},
        "by": {"type": "string"},
    },
}  # fmt: skip
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        _EVENT,
                        {
                            "type": "object",
                            "required": ["events"],
                            "properties": {"events": {"type": "array", "items": _EVENT, "maxItems": MOST}},
                        },
                    ]
                }
            }
        },
    }
}


@router.post(
    "/events",
    summary="Write down what happened: touches, reactions, consents, preferences, wishes, texts of customers",
    dependencies=[Depends(only_json)],
    openapi_extra=_BODY,
    responses={
        207: {"description": "Some were kept, some refused; each is told by itself"},
        400: {"description": "Not JSON"},
        413: {"description": "Too many at once"},
        422: {"description": "The event, or every event, was refused"},
    },
)
async def events(request: Request, language: str = "") -> JSONResponse:
    """A single event is answered by what became of it; a delivery of many by one document on all of them."""
    body = await _limited(request)
    if body is None:
        return _problem(413, f"at most {MOST_BYTES >> 20} MiB in one delivery")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        return _problem(400, f"not JSON: {error}")
    if not isinstance(told, dict):
        return _problem(422, 'an event or {"events": […]} was expected')
    many = told.get("events") if set(told) == {"events"} else [told]
    if not isinstance(many, list):
        return _problem(422, "events is no list")
    if len(many) > MOST:
        return _problem(413, f"{len(many):,} events in one delivery; expected at most {MOST:,}")
    site = site_of(request)
    lang: Language = "ru" if (language or site.workspace.config.language) == "ru" else "en"
    done = await run_in_threadpool(lambda: receive(site.workspace, many, now=site.now(), by=BY))
    refused = done.how_many("refused")
    status = 200 if not refused else 422 if refused == len(many) else 207
    document = done.as_dict(lang)
    if "events" not in told:
        one = document["events"][0]
        document = {**one, "clock_behind": done.clock_behind, "head": document["head"]}
    return answer(document, status)


async def _limited(request: Request) -> bytes | None:
    """The body; None: it is larger than allowed, and the rest of it is not read."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


def _problem(status: int, message: str) -> JSONResponse:
    document: dict[str, Any] = {"error": message}
    return answer(document, status)
