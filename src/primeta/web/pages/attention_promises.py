"""Promises: what was promised, how often it was broken, by whom, and whether it could have been known."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from primeta.errors import NotFound
from primeta.web import attention_rows as rows
from primeta.web.page import done, page, reader_of, site_of
from primeta.web.pages.attention_health import PLACE, kept, language

router = APIRouter()
SHOWN = 12
"""Who breaks a promise, of each kind."""


@router.get("/attention/promises")
def promises(request: Request) -> Response:
    reader = reader_of(request)
    state, found = kept(request)
    told = found.promises.promises if found else ()
    said = found.promises.sentences(language(reader)) if found else []
    listed, scale = rows.promise_rows(reader, told)
    return page(
        request,
        "attention_promises.html",
        reader,
        place=PLACE,
        state=state,
        report=found.promises if found else None,
        title=said[0] if said else "",
        lead=" ".join(said[1:]),
        checked=[row for row in listed if not row.why_not or row.entry.check.broken],
        unverifiable=[row for row in listed if row.why_not and not row.entry.check.broken],
        axis=reader.axis(scale, [reader.percent(tick) for tick in scale.ticks]),
    )


@router.get("/attention/promises/{name:path}")
def promise(request: Request, name: str) -> Response:
    """One promise, every version of it."""
    site, reader = site_of(request), reader_of(request)
    found = site.workspace.attention_reports()
    versions = [
        entry for entry in (found.promises.promises if found else ()) if entry.check.promise.name == name
    ]
    if (
        found is None
    ):  # nothing is kept yet, or of another version: the list says so and offers to work it out
        return done("/attention/promises")
    if not versions:
        raise NotFound(f"there is no promise {name!r} in the last replay")
    versions.sort(key=lambda entry: -entry.check.promise.version)
    listed, scale = rows.promise_rows(reader, versions)
    months = [month for entry in versions for month in entry.months]
    by_month = rows.scale_of([0.0, *(month.share.high for month in months)], ticks=3)
    return page(
        request,
        "attention_promise.html",
        reader,
        place=PLACE,
        name=name,
        report=found.promises,
        versions=listed,
        axis=reader.axis(scale, [reader.percent(tick) for tick in scale.ticks]),
        month_axis=reader.axis(by_month, [reader.percent(tick) for tick in by_month.ticks]),
        month_bar=lambda share: rows.bar_of(reader, share, by_month, basis="measured"),
        figure=lambda share: rows.share_figure(reader, share),
        breakers=lambda entry, kind: [one for one in entry.breakers if one.kind == kind][:SHOWN],
        campaign_address=rows.campaign_address,
        customer_address=rows.customer_address,
        purpose_name=lambda purpose: rows.purpose_name(reader, purpose),
    )
