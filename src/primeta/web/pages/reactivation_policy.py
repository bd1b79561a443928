"""When to write, in which sequence, with which discount: what an experiment of a campaign tells, or how to plan one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.errors import NotFound
from primeta.show.chart import NARROW, Picture
from primeta.show.result import Table
from primeta.web import reactivation_policy_rows as rows
from primeta.web.charts import Drawn
from primeta.web.page import Sent, done, page, person_of, reader_of, site_of, text_of
from primeta.web.pages.lapse import FULL
from primeta.web.pages.reactivation import address, campaign_tabs
from primeta.web.pages.signals import specification
from primeta.web.reactivation_finding import length
from primeta.web.reactivation_pictures import money_axis
from primeta.web.reader import Reader
from primeta.workspace.reactivation_views import CampaignView, PolicyKind, PolicyView

router = APIRouter()


@router.get("/reactivation/{name}/moment")
def moment(request: Request, name: str) -> Response:
    return _show(request, name, "moment")


@router.get("/reactivation/{name}/sequence")
def sequence(request: Request, name: str) -> Response:
    return _show(request, name, "sequence")


@router.get("/reactivation/{name}/discount")
def discount(request: Request, name: str) -> Response:
    return _show(request, name, "discount")


def _show(request: Request, name: str, kind: PolicyKind) -> Response:
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.policy_view(name, kind, now=site.now())
    if view.result is None:
        return _empty(request, reader, view)
    found = view.result
    options, option_scale = rows.option_rows(reader, found)
    # Every sequence stands among the rivals already.
    points, point_scale = rows.point_rows(reader, found, parts=False) if kind != "sequence" else ([], None)
    parts, part_scale = rows.point_rows(reader, found, parts=True) if kind == "discount" else ([], None)
    segments, segment_scale = rows.segment_rows(reader, found)
    responses = found.response_table(reader.lang) if kind == "discount" else None
    return page(
        request,
        "reactivation_policy.html",
        reader,
        **_place(reader, view.campaign, kind),
        kind=kind,
        found=found,
        stale=view.stale,
        title=rows.heading(reader, found),
        lead=rows.lead(reader, found),
        horizon=length(reader, found.horizon),
        options=options,
        option_axis=money_axis(reader, option_scale),
        points=points,
        point_axis=money_axis(reader, point_scale) if point_scale else "",
        parts=parts,
        part_axis=money_axis(reader, part_scale) if part_scale else "",
        picture=_drawn(reader, found.picture(reader.lang))
        if kind == "moment" and not found.why_not
        else None,
        choices=rows.choice_rows(reader, found),
        responses=responses if responses is not None and responses.rows else None,
        segments=segments,
        segment_axis=money_axis(reader, segment_scale),
        remarks=rows.remarks(reader, found),
    )


def _place(reader: Reader, view: CampaignView, kind: str) -> dict[str, Any]:
    return {
        "view": view,
        "name": view.name,
        "base": address(view.name),
        "tabs": campaign_tabs(reader, view.name, kind),
    }


def _empty(request: Request, reader: Reader, view: PolicyView) -> Response:
    """What belongs here, and one action: work it out, or plan such an experiment."""
    site = site_of(request)
    example = None
    if not view.varied:
        example = site.workspace.plan_example(view.campaign.name, view.kind, now=site.now())
    table = _known(example.plan.table(reader.lang)) if example else None
    return page(
        request,
        "reactivation_policy_empty.html",
        reader,
        **_place(reader, view.campaign, view.kind),
        kind=view.kind,
        varied=view.varied,
        example=example,
        plan_line=example.plan.line(reader.lang) if example else "",
        plan_table=replace(table, note="") if table else None,
        plan_notes=table.note.splitlines() if table else [],
    )


def _known(table: Table) -> Table:
    """Without the columns of which nothing is known."""
    kept = [at for at in range(len(table.heads)) if any(row[at] for row in table.rows)]
    return replace(
        table,
        heads=tuple(table.heads[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in table.rows),
    )


def _drawn(reader: Reader, picture: Picture) -> Drawn:
    """The curve at the width of the page; its title says what the heading of the page does not."""
    return Drawn(
        title=str(reader._("What a contact is worth, by the day since the lapse")),
        subtitle=picture.subtitle,
        source=picture.source,
        wide=Markup(picture.page_svg(width=FULL)),
        narrow=Markup(picture.page_svg(width=NARROW)),
    )


@router.get("/reactivation/{name}/moment/chart")
def chart(request: Request, name: str) -> Response:
    """The specification of the curve, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.policy_view(name, "moment", now=site.now())
    if view.result is None or view.result.why_not:
        raise NotFound("the curve is not worked out yet")
    return specification(request, view.result.picture(reader.lang))


@router.post("/reactivation/{name}/control")
def control(request: Request, name: str, sent: Sent) -> Response:
    """Which arm was left alone, of an experiment that stands in the assignments alone."""
    site = site_of(request)
    site.workspace.tell_control(name, text_of(sent, "control"), by=person_of(request), now=site.now())
    return done(address(name))


@router.post("/reactivation/{name}/{kind}")
def work_out(
    request: Request,
    name: str,
    kind: Literal["moment", "sequence", "discount", "whom", "interviews", "farms"],
    sent: Sent,
) -> Response:
    """The job that works out one part of the campaigns, and leads back to this one."""
    site = site_of(request)
    view = site.workspace.campaign(name, now=site.now())
    job = site.workspace.start_job("policy" if kind in get_args(PolicyKind) else kind, now=site.now())
    back = quote(f"{address(view.name)}/{kind}", safe="")
    return done(f"/jobs/{job.id}?back={back}")
