"""Campaigns, programmes and teams by the credit that they spent or earned."""

from __future__ import annotations

from math import isfinite
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from primeta.attention.report import Spent
from primeta.errors import NotFound
from primeta.web import attention_rows as rows
from primeta.web.page import done, page, reader_of, site_of
from primeta.web.pages.attention_health import PLACE, kept, language

router = APIRouter()
KINDS = ("campaign", "programme", "team")
SORTS = ("spent", "earned", "messages", "broken", "opt-outs")
ONLY = ("", "sure", "broken")
PAGE = 50


@router.get("/attention/campaigns")
def campaigns(request: Request) -> Response:
    reader = reader_of(request)
    state, found = kept(request)
    given = request.query_params
    kinds = [kind for kind in KINDS if found and found.campaigns.of_kind(kind)]
    kind = given.get("kind", "") if given.get("kind", "") in kinds else (kinds[0] if kinds else "campaign")
    sort = given.get("sort", "") if given.get("sort", "") in SORTS else "spent"
    only = given.get("only", "") if given.get("only", "") in ONLY else ""
    number = max(int(given["page"]), 1) if given.get("page", "").isdigit() else 1
    whole = sorted_rows(found.campaigns.of_kind(kind), sort, only) if found else []
    pages = max(-(-len(whole) // PAGE), 1)
    number = min(number, pages)
    scale = rows.spent_scale(whole)
    shown = [rows.spent_row(reader, row, scale) for row in whole[PAGE * (number - 1) : PAGE * number]]

    def link(**changes: str | int) -> str:
        return "?" + urlencode({"kind": kind, "sort": sort, "only": only, **changes})

    loss = found.campaigns.report.loss_of_customer if found else float("nan")
    return page(
        request,
        "attention_campaigns.html",
        reader,
        place=PLACE,
        state=state,
        report=found.campaigns if found else None,
        title=found.campaigns.line(language(reader)) if found else "",
        rows=shown,
        total=len(whole),
        kind=kind,
        kinds=kinds,
        sort=sort,
        only=only,
        number=number,
        pages=pages,
        link=link,
        axis=reader.axis(scale, [reader.number(tick) for tick in scale.ticks]),
        money=reader.money(loss) if isfinite(loss) else "",
        drawn=any(row.basis == "randomised" for row in whole),
        seen=any(row.basis == "observational" for row in whole),
    )


def sorted_rows(entries: tuple[Spent, ...], sort: str, only: str) -> list[Spent]:
    """As a reader asked for; those of which nothing can be told stand last."""
    chosen = [
        row
        for row in entries
        if not only or (only == "sure" and row.told) or (only == "broken" and row.sent.broken)
    ]
    order = {
        "spent": lambda row: -row.credit if isfinite(row.credit) else 1e300,
        "earned": lambda row: row.credit if isfinite(row.credit) else 1e300,
        "messages": lambda row: -row.sent.messages,
        "broken": lambda row: -row.sent.broken,
        "opt-outs": lambda row: -row.sent.opt_outs,
    }[sort]
    return sorted(chosen, key=lambda row: (order(row), row.sent.name))


@router.get("/attention/campaigns/{kind}/{name:path}")
def campaign(request: Request, kind: str, name: str) -> Response:
    """One campaign, programme or team: what it sent week by week, and who left."""
    site, reader = site_of(request), reader_of(request)
    found = site.workspace.attention_reports()
    row = next(
        (
            entry
            for entry in (found.campaigns.of_kind(kind) if found and kind in KINDS else ())
            if entry.sent.name == name
        ),
        None,
    )
    if (
        found is None
    ):  # nothing is kept yet, or of another version: the list says so and offers to work it out
        return done("/attention/campaigns")
    if row is None:
        raise NotFound(f"there is no {kind} {name!r} in the last replay")
    scale = rows.spent_scale([row])
    broken = [
        (rows.promise_address(entry.check.promise.name), entry.check.promise, one)
        for entry in found.promises.promises
        for one in entry.breakers
        if one.kind == kind and one.name == name
    ]
    return page(
        request,
        "attention_campaign.html",
        reader,
        place=PLACE,
        report=found.campaigns,
        row=row,
        shown=rows.spent_row(reader, row, scale),
        axis=reader.axis(scale, [reader.number(tick) for tick in scale.ticks]),
        bars=rows.week_bars_of(reader, row.sent),
        broken=broken,
        figure=lambda share: rows.share_figure(reader, share),
        customer_address=rows.customer_address,
        purpose_name=lambda purpose: rows.purpose_name(reader, purpose),
    )
