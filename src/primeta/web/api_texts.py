"""Outside texts over HTTP: sources, the reading list, topics, search, voices."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from primeta.sources.records import Document, SourceKind
from primeta.web.api import answer, only_json
from primeta.web.page import site_of
from primeta.web.texts_documents import (
    document_entry,
    reading_document,
    topic_document,
    topics_document,
)
from primeta.workspace.documents import signals_document
from primeta.workspace.texts_views import Mark

router = APIRouter(prefix="/api/v1")

Kind = Annotated[SourceKind | None, Query(description="Of source: `law`, `competitor`, `reviews` …")]
Name = Annotated[str, Query(max_length=200, description="Name of a source")]


@router.get("/sources", summary="Every declared source, how it does, what failed and why")
def sources(request: Request) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.source_list(now=site.now()).as_dict())


@router.get("/reading", summary="Stories, the most trusted and newest first, their copies folded")
def reading(
    request: Request,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    kind: Kind = None,
    source: Name = "",
    mark: Annotated[Mark | None, Query(description="Of a person")] = None,
    topic: Annotated[str, Query(max_length=64, description="Id of a topic")] = "",
    q: Annotated[str, Query(max_length=200, description="Words")] = "",
) -> JSONResponse:
    site = site_of(request)
    found = site.workspace.reading(
        page=page, kind=kind or "", source=source, mark=mark or "", topic=topic, query=q, now=site.now()
    )
    return answer(reading_document(found))


@router.get(
    "/documents/{identity}", summary="One document: its text, link and where it came from; no customer's id"
)
def document(request: Request, identity: str) -> JSONResponse:
    return answer(_whole(site_of(request).workspace.document(identity)))


def _whole(found: Document) -> dict[str, Any]:
    return {**document_entry(found), "text": found.text, "links": list(found.links)}


class Marked(BaseModel):
    """What a person thinks of a document."""

    mark: Literal["unread", "read", "kept", "dismissed"]
    by: str


class Logged(BaseModel):
    """Who writes a document down as a sign."""

    by: str


@router.post(
    "/documents/{identity}/mark",
    summary="Mark a document: read, kept, dismissed",
    dependencies=[Depends(only_json)],
)
def mark(request: Request, identity: str, given: Marked) -> JSONResponse:
    site = site_of(request)
    site.workspace.mark_document(identity, given.mark, by=given.by, now=site.now())
    return answer({"id": identity, "mark": given.mark})


@router.post(
    "/documents/{identity}/log",
    status_code=201,
    summary="Write a document down as a sign",
    dependencies=[Depends(only_json)],
)
def log(request: Request, identity: str, given: Logged) -> JSONResponse:
    site = site_of(request)
    note = site.workspace.log_document(identity, by=given.by, now=site.now())
    return answer(signals_document((), (note,))["signals"][0], 201)


@router.get("/topics", summary="What more is said of than before, with its evidence")
def topics(request: Request) -> JSONResponse:
    site = site_of(request)
    return answer(topics_document(site.workspace.topics(now=site.now())))


@router.get(
    "/topics/{identity}", summary="One topic with each owner's share by week and its newest documents"
)
def topic(request: Request, identity: str) -> JSONResponse:
    return answer(topic_document(site_of(request).workspace.topic(identity)))


@router.get("/search", summary="Search what was collected, by words and by meaning")
def search(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=300)],
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    kind: Kind = None,
    source: Name = "",
    since: date | None = None,
    until: date | None = None,
) -> JSONResponse:
    site = site_of(request)
    found = site.workspace.search(
        q,
        limit=limit,
        kinds=(kind,) if kind else (),
        sources=(source,) if source else (),
        since=since,
        until=until,
        now=site.now(),
    )
    return answer(found.as_dict())


@router.get(
    "/voices", summary="What customers speak of, by segment, and what they did afterwards (observational)"
)
def voices(
    request: Request,
    since: date | None = None,
    until: date | None = None,
    by: Annotated[str, Query(max_length=100, description="An attribute of the customers")] = "",
) -> JSONResponse:
    site = site_of(request)
    return answer(site.workspace.voices(since=since, until=until, by=by, now=site.now()).as_dict())
