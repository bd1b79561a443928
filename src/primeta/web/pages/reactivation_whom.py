"""Whom to write: customers chosen by how much a message changes, beside the simple rules, in money."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.errors import NotFound
from primeta.reactivation.whom import words
from primeta.reactivation.whom.result import Policy, Whom
from primeta.show.chart import NARROW, Picture
from primeta.show.interval import scale_of, verdict_of
from primeta.show.result import Table
from primeta.web.charts import Drawn
from primeta.web.page import page, reader_of, site_of
from primeta.web.pages.lapse import FULL
from primeta.web.pages.reactivation import address, campaign_tabs
from primeta.web.pages.signals import specification
from primeta.web.reactivation_finding import length
from primeta.web.reactivation_pictures import money_axis, rung_bar
from primeta.web.reactivation_policy_rows import Option
from primeta.web.reader import Reader, capital

router = APIRouter()
NOTHING = Table(heads=(), rows=())


@router.get("/reactivation/{name}/whom")
def whom(request: Request, name: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.whom_view(name, now=site.now())
    found = view.result
    known = found is not None and bool(found.policies)
    ends = [end for row in found.policies for end in (row.value, row.low, row.high)] if found else []
    scale = scale_of([end for end in ends if math.isfinite(end)])
    return page(
        request,
        "reactivation_whom.html",
        reader,
        view=view.campaign,
        name=view.campaign.name,
        base=address(view.campaign.name),
        tabs=campaign_tabs(reader, view.campaign.name, "whom"),
        found=found,
        can=view.campaign.kind != "messages" and bool(view.campaign.control),
        stale=view.stale,
        title=_title(reader, found),
        lead=found.line(reader.lang) if found else "",
        horizon=length(reader, found.horizon) if found and found.horizon else "",
        options=[_option(reader, found, row, scale) for row in found.policies] if found and known else [],
        option_axis=money_axis(reader, scale),
        picture=_drawn(reader, found.picture(reader.lang)) if found and found.qini.curve else None,
        tenths=found.calibration_table(reader.lang) if found else NOTHING,
        features=found.feature_table(reader.lang) if found else NOTHING,
        remarks=found.remarks(reader.lang) if found else [],
    )


def _title(reader: Reader, found: Whom | None) -> str:
    """Whom to write, in a few words; the sentence with its money is the lead."""
    _ = reader._
    if found is None:
        return str(_("Whom to write is not worked out yet."))
    if not found.recommended:
        return str(_("Whom to write cannot be told."))
    told = {
        "learned": _("Write to those whom a message changes."),
        "all": _("Write to everybody."),
        "none": _("Write to nobody."),
        "risk": _("Write to those most at risk of having left."),
        "recency": _("Write to those who have been silent the longest."),
    }
    name, _colon, arm = found.recommended.partition(":")
    chosen = str(told[name]) if name in told else found.line(reader.lang)
    if arm:
        chosen = str(_("Write to everybody: {arm}.", arm=arm))
    return chosen if found.recommended_sure else f"{chosen} {_('It is not certain.')}"


def _option(reader: Reader, found: Whom, row: Policy, scale) -> Option:
    nobody = row.name == "none"
    known = math.isfinite(row.value) and not row.why_not
    verdict = verdict_of(row.low, row.high)
    figure = reader.figure(row.value, "money", row.low, row.high, sign=True) if known else None
    if nobody:
        figure, verdict = reader.figure(0.0, "count"), "unsure"
    ahead = verdict_of(row.ahead_low, row.ahead_high)
    value, low, high = (0.0, math.nan, math.nan) if nobody else (row.value, row.low, row.high)
    return Option(
        # The page marks the recommended one itself.
        name=capital(words.policy(row, found, reader.lang).rstrip(" ✓")),
        part="",
        n=reader.percent(row.share, 0) if math.isfinite(row.share) else "",
        figure=figure,
        kind="" if verdict == "unsure" else verdict,
        picture=rung_bar(
            value, low, high, scale=scale, basis="measured" if known and not nobody else "", verdict=verdict
        ),
        mark="chosen" if row.name == found.recommended else "",
        ahead=reader.figure(row.ahead, "money", row.ahead_low, row.ahead_high, sign=True)
        if math.isfinite(row.ahead)
        else None,
        ahead_kind="" if ahead == "unsure" else ahead,
        why_not=capital(words.word(row.why_not, reader.lang)) if row.why_not else "",
    )


def _drawn(reader: Reader, picture: Picture) -> Drawn:
    return Drawn(
        title=str(reader._("What it brings, by the share of customers written to")),
        subtitle=picture.subtitle,
        source=picture.source,
        wide=Markup(picture.page_svg(width=FULL)),
        narrow=Markup(picture.page_svg(width=NARROW)),
    )


@router.get("/reactivation/{name}/whom/chart")
def chart(request: Request, name: str) -> Response:
    """The specification of the curve, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    found = site.workspace.whom_view(name, now=site.now()).result
    if found is None or not found.qini.curve:
        raise NotFound("the curve is not worked out yet")
    return specification(request, found.picture(reader.lang))
