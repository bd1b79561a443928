"""Who the customers of a campaign are: whom to call, accounts that look like one person's, what sources bring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from primeta.errors import BadInput
from primeta.reactivation.interview_guide import RULES, Part, Stratum, parts_of
from primeta.reactivation.interview_reasons import Answer
from primeta.reactivation.interviews import LETTER
from primeta.reactivation.interviews_words import STRATA
from primeta.show.result import Table
from primeta.web.page import Sent, done, page, reader_of, site_of, text_of
from primeta.web.pages.reactivation import address, campaign_tabs, tabs_of
from primeta.web.reader import Reader
from primeta.workspace.reactivation_views import CampaignView, FarmsView, InterviewsView, SourcesView

router = APIRouter()
CALLS = "calls.csv"
MOST_QUOTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What to ask in one group."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one person said; he is called by his place on the list."""

    answer: Answer
    group: str
    reasons: str


def _state(known: InterviewsView | FarmsView | SourcesView) -> dict[str, Any]:
    """How far it is worked out."""
    return {
        "found": known.result,
        "problem": known.problem,
        # Where something is missing for any attempt, another one does not help.
        "tried": known.at is not None,
        "stale": known.stale,
    }


def _place(reader: Reader, view: CampaignView, tab: str) -> dict[str, Any]:
    return {
        "view": view,
        "name": view.name,
        "base": address(view.name),
        "tabs": campaign_tabs(reader, view.name, tab),
    }


def _bare(table: Table) -> Table:
    """Without its note: the page shows remarks on its own."""
    return replace(table, note="")


# Interviews


@router.get("/reactivation/{name}/interviews")
def interviews(request: Request, name: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    known = site.workspace.interviews_view(name, now=site.now())
    found, lang = known.result, reader.lang
    reasons = found.reasons if found is not None and found.reasons and not found.reasons.why_not else None
    return page(
        request,
        "reactivation_interviews.html",
        reader,
        **_place(reader, known.campaign, "interviews"),
        **_state(known),
        title=found.line(lang) if found is not None else "",
        groups=_bare(found.table(lang)) if found is not None else None,
        remarks=found.remarks(lang) if found is not None else [],
        reasons=reasons,
        shares=_bare(reasons.table(lang)) if reasons else None,
        reason_remarks=reasons.remarks(lang) if reasons else [],
        agreement=reasons.agreement_table(lang) if reasons else None,
        later=reasons.later_table(lang) if reasons else None,
        quotes=[
            Quote(
                answer=answer,
                group=STRATA[answer.stratum][lang],
                reasons=", ".join(reasons.name(code, lang) for code in answer.reasons),
            )
            for answer in reasons.answers
            if answer.quote
        ][:MOST_QUOTES]
        if reasons
        else [],
        codes=[
            (code, reasons.name(code, lang))
            for code in sorted(
                {code for answer in reasons.answers if answer.quote for code in answer.reasons}
            )
        ]
        if reasons
        else [],
        trends=site.workspace.trends(),
        rules=RULES[lang],
        talks=[
            Talk(title=f"{LETTER[stratum]} {STRATA[stratum][lang]}", parts=parts_of(stratum, lang))
            for stratum in get_args(Stratum)
        ],
    )


@router.post("/reactivation/{name}/interviews/calls")
def calls(request: Request, name: str, sent: Sent) -> Response:
    """The list with ids as a file; drawn and kept, where it was not yet."""
    site = site_of(request)
    view = site.workspace.campaign(name, now=site.now())
    with TemporaryDirectory(prefix="primeta-") as folder:
        out = Path(folder) / CALLS
        site.workspace.interviews(view.name, now=site.now(), out=out)
        body = out.read_bytes()
    title = quote(f"{view.name}-{CALLS}")
    return Response(
        body,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{title}"},
    )


@router.post("/reactivation/{name}/interviews/quotes")
def attach(request: Request, name: str, sent: Sent) -> Response:
    """Quotes to a trend, as voices."""
    site, reader = site_of(request), reader_of(request)
    trend, by, reason = (text_of(sent, field) for field in ("trend", "by", "reason"))
    if not trend:
        raise BadInput(str(reader._("Choose the trend that these words tell of.")))
    target = site.workspace.trend(trend)
    site.workspace.attach_quotes(name, target.id, by=by, now=site.now(), reason=reason, lang=reader.lang)
    return done(f"/trends/{target.id}", "done.attached", person=by, name=target.card.name)


# Farms


@router.get("/reactivation/{name}/farms")
def farms(request: Request, name: str) -> Response:
    site, reader = site_of(request), reader_of(request)
    known = site.workspace.farms_view(name, now=site.now())
    found, lang = known.result, reader.lang
    return page(
        request,
        "reactivation_farms.html",
        reader,
        **_place(reader, known.campaign, "farms"),
        **_state(known),
        title=found.line(lang) if found is not None else "",
        clusters=_bare(found.table(lang)) if found is not None else None,
        remarks=found.remarks(lang) if found is not None and not found.why_not else [],
        bursts=found.bursts_table(lang) if found is not None and found.bursts else None,
        effects=found.effects_table(lang) if found is not None and found.effects else None,
    )


# Sources


@router.get("/acquisition")
def sources(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    known = site.workspace.sources_view()
    found, lang = known.result, reader.lang
    return page(
        request,
        "reactivation_sources.html",
        reader,
        place="/reactivation",
        tabs=tabs_of(reader, "sources"),
        **_state(known),
        title=found.line(lang) if found is not None else "",
        table=_bare(found.table(lang)) if found is not None else None,
        cohorts=found.cohort_table(lang) if found is not None and found.cohorts else None,
        remarks=found.remarks(lang) if found is not None else [],
    )


@router.post("/acquisition")
def work_out(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    return done(f"/jobs/{site.workspace.start_job('sources', now=site.now()).id}")
