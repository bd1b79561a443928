"""Delivery: where the week goes and what became of it, and the calendar's feed under its secret address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from primeta.delivery.schedule import next_hour
from primeta.delivery.send import told
from primeta.delivery.words import STATES
from primeta.errors import NotFound
from primeta.web.page import Sent, done, person_of, reader_of, site_of
from primeta.web.reader import Reader

router = APIRouter()
LAST = 3
"""So many messages of a channel are shown."""
FAILED = ("deferred", "refused", "unclear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """One message of a channel and what became of it."""

    what: str
    at: datetime
    state: str
    failed: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A declared channel; its address is not shown, it may hold a secret."""

    name: str
    service: str
    next_at: datetime
    went: tuple[Went, ...]


@router.get("/calendar/{token}.ics")
def calendar(request: Request, token: str) -> Response:
    """Due reviews and ends of experiments for a calendar; it asks without cookies, so its address is the key."""
    site = site_of(request)
    if not site.workspace.is_calendar_token(token):
        raise NotFound("there is no calendar at this address")
    return Response(
        site.workspace.calendar(now=site.now(), language=site.workspace.config.language),
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'inline; filename="primeta.ics"'},
    )


@router.post("/delivery/calendar")
def new_calendar(request: Request, sent: Sent) -> Response:
    """Another address of the calendar; the old one answers no more."""
    site = site_of(request)
    site.workspace.calendar_token(now=site.now(), by=person_of(request) or "primeta", new=True)
    return done("/data#delivery", "done.calendar")


def delivery_of(request: Request) -> dict[str, Any]:
    """What the section on the page of data shows."""
    site, reader = site_of(request), reader_of(request)
    workspace = site.workspace
    kept: dict[str, list[Went]] = {}
    for entry in workspace.deliveries():
        went = kept.setdefault(entry.channel, [])
        if len(went) < LAST:
            went.append(_went(reader, entry))
    token = workspace.calendar_token(now=site.now(), by=person_of(request) or "primeta")
    return {
        "channels": [
            ChannelRow(
                name=channel.name,
                service=channel.to.partition("://")[0],
                next_at=next_hour(channel, site.now(), workspace.config.zone),
                went=tuple(kept.get(channel.name, ())),
            )
            for channel in workspace.config.delivery.values()
        ],
        "calendar": f"{str(request.base_url).rstrip('/')}/calendar/{token}.ics",
    }


def _went(reader: Reader, entry: Any) -> Went:
    lang = "ru" if reader.lang == "ru" else "en"
    kind, _, rest = entry.subject.partition(" ")
    what = str(reader._("the week’s digest")) if kind == "digest" else str(reader._("a due review"))
    if kind == "digest" and rest:
        what = f"{what}, {reader.period(rest)}"
    return Went(
        what=what,
        at=entry.at,
        state=STATES[entry.state][lang],
        failed=entry.state in FAILED,
        why=told(entry.why, entry.answer, lang) if entry.why else "",
    )
