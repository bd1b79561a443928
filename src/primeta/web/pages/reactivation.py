"""Reactivation: the campaigns with the rung that each has reached, the ladder of one, the flow of customers who lapse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.errors import NotFound
from primeta.reactivation import ladder_sentences as sentences
from primeta.reactivation.records import LadderFacts
from primeta.show import locale
from primeta.web import reactivation_rows as rows
from primeta.web.page import Sent, done, page, reader_of, site_of
from primeta.web.reactivation_finding import finding, lead, length
from primeta.web.reactivation_pictures import money_axis
from primeta.web.reactivation_words import (
    advice,
    next_rung,
    remarks,
    rung_name,
    trait_name,
    why_words,
)
from primeta.web.reader import Reader
from primeta.workspace.reactivation_views import CampaignView, KeptLadder

router = APIRouter()
MOST_OTHERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A part of reactivation."""

    name: str
    href: str
    here: bool = False


def address(name: str) -> str:
    """The page of a campaign."""
    return f"/reactivation/{quote(name, safe='')}"


# The list


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One campaign in the list."""

    view: CampaignView
    href: str
    finding: str
    reached: str
    next: str
    claims: tuple[str, ...] = ()
    """Of rungs 0 and 1, where there is no control."""


@router.get("/reactivation")
def listing(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    views = site.workspace.campaigns(now=site.now())
    listed = [_listed(reader, view) for view in views]
    tried = [entry for entry in listed if entry.view.kind != "messages" and entry.view.control]
    untold = [entry for entry in listed if entry.view.kind != "messages" and not entry.view.control]
    sent = [entry for entry in listed if entry.view.kind == "messages"]
    return page(
        request,
        "reactivation.html",
        reader,
        tabs=tabs_of(reader, "campaigns"),
        headline=headline_of(reader, views),
        lead=_list_lead(reader, views),
        tried=tried,
        untold=untold,
        problem=site.workspace.assignments_problem(),
        sent=sent,
        waiting=sum(1 for view in views if view.kept is None and not view.problem),
        stale=sum(1 for view in views if view.kept is not None and view.kept.stale),
        total=len(views),
        rung_words=rung_words(reader),
        sent_next=str(
            reader._(
                "To know more next time, hold out a part of the customers by lot before the first message goes out."
            )
        ),
    )


def rung_words(reader: Reader) -> list[tuple[int, str, str]]:
    """The five rungs as the list explains them."""
    _ = reader._
    told = (
        _("Everyone who came back is counted."),
        _("Orders soon after a message are counted."),
        _("Compared with customers left alone, in a short window."),
        _("Compared over months: what they bought later, and how."),
        _("Compared to the horizon, the part not yet seen from a model."),
    )
    return [(number, rung_name(reader, number), str(text)) for number, text in enumerate(told)]


def tabs_of(reader: Reader, here: str) -> list[Tab]:
    """The parts of reactivation that belong to no single campaign."""
    _ = reader._
    entries = (
        ("campaigns", _("Campaigns"), "/reactivation"),
        ("lapse", _("Who is leaving"), "/lapse"),
        ("sources", _("Where they came from"), "/acquisition"),
    )
    return [Tab(name=str(name), href=href, here=code == here) for code, name, href in entries]


def campaign_tabs(reader: Reader, name: str, here: str) -> list[Tab]:
    """The parts of one campaign."""
    _, base = reader._, address(name)
    entries = (
        ("ladder", _("Ladder"), base),
        ("moment", _("Moment"), f"{base}/moment"),
        ("sequence", _("Sequence"), f"{base}/sequence"),
        ("discount", _("Discount"), f"{base}/discount"),
        ("whom", _("Whom to write"), f"{base}/whom"),
        ("interviews", _("Interviews"), f"{base}/interviews"),
        ("farms", _("Farms"), f"{base}/farms"),
    )
    return [Tab(name=str(title), href=href, here=code == here) for code, title, href in entries]


def headline_of(reader: Reader, views: Sequence[CampaignView]) -> str:
    """How much of what was sent can be known."""
    if not views:
        return str(reader._("No campaign has been seen yet."))
    known = sum(1 for view in views if (view.reached or 0) >= 2)
    blind = sum(1 for view in views if not view.control)
    if not known and blind == len(views):
        return str(
            reader._n(
                "What {n:int} campaign brought cannot be known: it had no control group.",
                "What {n:int} campaigns brought cannot be known: none had a control group.",
                len(views),
            )
        )
    if all(view.reached is None for view in views):
        return str(
            reader._n("{n:int} campaign can be looked at.", "{n:int} campaigns can be looked at.", len(views))
        )
    return str(
        reader._n(
            "Of {n:int} campaign, what {known:int} brought can be known.",
            "Of {n:int} campaigns, what {known:int} brought can be known.",
            len(views),
            known=known,
        )
    )


def _list_lead(reader: Reader, views: Sequence[CampaignView]) -> str:
    blind = sum(1 for view in views if not view.control)
    if not blind or blind == len(views):
        return ""
    return str(
        reader._n(
            "{n:int} was sent without a control group: its report counts customers who would have come back anyway.",
            "{n:int} were sent without a control group: their reports count customers who would have come back anyway.",
            blind,
        )
    )


def _listed(reader: Reader, view: CampaignView) -> Listed:
    found = ""
    if view.kept is not None and view.control:
        found = finding(reader, view.kept.facts)
    return Listed(
        view=view,
        href=address(view.name),
        finding=found,
        reached=str(reader._("rung {n}", n=view.reached)) if view.reached is not None else "",
        next=next_rung(reader, view.kept.facts) if view.kept else view.problem,
        claims=_claims(reader, view),
    )


def _claims(reader: Reader, view: CampaignView) -> tuple[str, ...]:
    """What rungs 0 and 1 claim, over all arms."""
    if view.kept is None or view.control:
        return ()
    return tuple(
        reader.money(sum(rung.money for rung in view.kept.facts.rungs if rung.rung == number))
        for number in (0, 1)
    )


@router.post("/reactivation")
def work_out(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    return done(f"/jobs/{site.workspace.start_job('ladder', now=site.now()).id}")


# One ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """One arm in the comparison of those who bought."""

    tag: rows.ArmTag
    buyers: str
    per_buyer: str
    per_assigned: str


@router.get("/reactivation/{name}")
def one(request: Request, name: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    view = site.workspace.campaign(name, now=site.now())
    if view.kept is None:
        return page(
            request,
            "reactivation_waiting.html",
            reader,
            view=view,
            name=view.name,
            base=address(view.name),
            tabs=campaign_tabs(reader, view.name, "ladder"),
        )
    return ladder_page(request, view, view.kept.facts)


def ladder_page(request: Request, view: CampaignView, facts: LadderFacts) -> Response:
    """The ladder of one campaign."""
    site, reader = site_of(request), reader_of(request)
    tags = rows.tags_of(reader, facts, view.what)
    scale = rows.scale_for(facts)

    def why(code: str) -> str:
        return why_words(reader, code)

    ladder = rows.rung_rows(reader, facts, tags, scale, why)
    traits, trait_scale = rows.trait_rows(reader, facts, tags, lambda metric: trait_name(reader, metric))
    others = [entry for entry in site.workspace.campaigns(now=site.now()) if entry.name != view.name]
    assert view.kept is not None
    return page(
        request,
        "reactivation_ladder.html",
        reader,
        name=view.name,
        base=address(view.name),
        title=finding(reader, facts),
        lead=lead(reader, facts),
        tags=tags,
        treated_tags=[tag for tag in tags.values() if not tag.is_control],
        drawn=_drawn(reader, view, facts),
        view=view,
        tabs=campaign_tabs(reader, view.name, "ladder"),
        stale=view.kept.stale,
        warnings=remarks(reader, facts, warnings=True),
        notes=remarks(reader, facts, warnings=False),
        campaign=facts.campaign,
        rungs=ladder,
        scale_note=_scale_note(reader, facts),
        axis=money_axis(reader, scale),
        modelled=any(
            rung.rung == 4 and math.isfinite(rung.modelled) and rung.modelled for rung in facts.rungs
        ),
        strips=rows.strips(reader, facts, tags, why),
        needless=rows.needless(reader, facts, tags),
        won_back=_won_back(reader, facts, tags),
        window=length(reader, facts.campaign.window_days),
        course=rows.course_of(reader, facts, tags),
        source=_source(reader, facts),
        traits=traits,
        trait_axis=reader.axis(trait_scale, reader.ticks(trait_scale, "relative")),
        among_returned=any(row.among_returned for row in traits),
        seen=length(reader, facts.seen_days) if facts.seen_days else "",
        segments=[
            (part.rung, part.rows, money_axis(reader, part.scale))
            for part in rows.segment_rungs(reader, facts, tags, why)
        ],
        segments_say=sentences.segments(facts, reader.lang),
        trap=_trap(reader, facts, tags),
        trap_say=sentences.trap(facts, reader.lang),
        advice=advice(reader, facts),
        others=[_other(reader, entry) for entry in others[:MOST_OTHERS]],
        more_others=max(len(others) - MOST_OTHERS, 0),
        is_experiment=view.kind == "experiment",
    )


@router.get("/reactivation/{name}/report")
def report(request: Request, name: str) -> Response:
    """The ladder on one page, to be printed or sent."""
    from primeta.reactivation.report import report_svg

    reader = reader_of(request)
    ladder = _worked_out(request, name).ladder
    return page(
        request,
        "reactivation_report.html",
        reader,
        base=address(name),
        title=finding(reader, ladder.facts),
        lead=lead(reader, ladder.facts),
        sheet=Markup(report_svg(ladder, reader.lang)),
        table=Markup(ladder.table(reader.lang).html()),
        returners=Markup(ladder.returners_table(reader.lang).html()),
        steps=ladder.next_steps(reader.lang),
    )


@router.get("/reactivation/{name}/report.pdf")
def report_as_pdf(request: Request, name: str) -> Response:
    """The same as PDF."""
    from primeta.reactivation.report import report_pdf

    ladder = _worked_out(request, name).ladder
    title = quote(f"{name}.pdf")
    return Response(
        report_pdf(ladder, reader_of(request).lang),
        media_type="application/pdf",
        headers={"Content-Disposition": f"inline; filename*=UTF-8''{title}"},
    )


def _worked_out(request: Request, name: str) -> KeptLadder:
    site = site_of(request)
    view = site.workspace.campaign(name, now=site.now())
    if view.kept is None:
        raise NotFound(
            f"the ladder of {view.name} is not worked out yet; open its page and have it worked out"
        )
    return view.kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another campaign beside the ladder."""

    name: str
    href: str
    reached: str
    next: str


def _other(reader: Reader, view: CampaignView) -> Other:
    return Other(
        name=view.name,
        href=address(view.name),
        reached="–" if view.reached is None else str(view.reached),
        next=next_rung(reader, view.kept.facts) if view.kept else str(reader._("not worked out yet")),
    )


def _drawn(reader: Reader, view: CampaignView, facts: LadderFacts) -> str:
    """How they came into their arms, when, and whether the split is as planned."""
    _ = reader._
    span = (
        reader.day(view.first)
        if view.first == view.last
        else f"{reader.day(view.first)} – {reader.day(view.last)}"
    )
    if not facts.campaign.control:
        return str(_("sent {span}, nobody was held out", span=span))
    words = (
        str(_("assigned by lot, {span}", span=span))
        if view.entry != "table"
        else str(_("assigned {span}, as the table of assignments says", span=span))
    )
    p = facts.sample_ratio_p
    if not math.isfinite(p):
        return words
    told = reader.number(p, 2) if p >= 0.01 else reader.number(p, 4)
    if p < 0.001:
        return f"{words}; " + str(_("the split is not as planned (p = {p}): trust no figure here", p=told))
    return f"{words}; " + str(_("split as planned (p = {p})", p=told))


def _scale_note(reader: Reader, facts: LadderFacts) -> str:
    _ = reader._
    given = facts.campaign.margin is not None
    what = _("margin after discounts and contacts") if given else _("money after discounts and contacts")
    if not rows.of_all(facts):
        return str(_("{what}, per customer assigned", what=str(what)))
    size = max(n for arm, n in zip(facts.arms, facts.n, strict=True) if arm != facts.campaign.control)
    many = sum(arm != facts.campaign.control for arm in facts.arms) > 1
    if many:
        return str(_("{what}, all {n:int} customers of an arm", what=str(what), n=size))
    return str(_("{what}, all {n:int} customers", what=str(what), n=size))


def _won_back(reader: Reader, facts: LadderFacts, tags) -> str:
    """Normal customers won back, per 1,000 assigned."""
    parts = []
    for row in facts.normal_again:
        if row.arm in tags and not row.segment and math.isfinite(row.difference):
            figure = reader.figure(row.per_thousand, "count", 1000 * row.low, 1000 * row.high, sign=True)
            parts.append(f"{tags[row.arm].letter}{locale.NBSP}{figure}")
    if not parts:
        return ""
    return str(
        reader._("Normal customers won back, per 1,000 assigned: {figures}.", figures="; ".join(parts))
    )


def _source(reader: Reader, facts: LadderFacts) -> str:
    told = reader._(
        "Source: orders of {n:int} customers assigned, until {day:date}.",
        n=sum(facts.n),
        day=facts.campaign.until,
    )
    return str(told)


def _trap(reader: Reader, facts: LadderFacts, tags) -> list[Trap]:
    return [
        Trap(
            tag=tags[row.arm],
            buyers=reader.number(row.buyers, 0),
            per_buyer=reader.money(row.revenue_per_buyer),
            per_assigned=reader.money(row.revenue_per_assigned),
        )
        for row in facts.trap
        if row.arm in tags and not row.segment
    ]
