"""Who is leaving: customers by their own rhythm, the flow between states, and what a fixed number of days gets wrong."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.errors import NotFound
from primeta.reactivation.lapse import STATES, Lapse
from primeta.reactivation.lapse_words import word
from primeta.show.chart import NARROW
from primeta.show.result import Head, Table
from primeta.web.charts import Drawn
from primeta.web.page import Sent, done, page, reader_of, site_of
from primeta.web.pages.reactivation import tabs_of
from primeta.web.pages.signals import specification
from primeta.web.reader import Reader

router = APIRouter()
FULL = 1180
"""Width of a chart that takes the whole page."""


@router.get("/lapse")
def show(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    kept = site.workspace.kept_lapse()
    found = kept.lapse if kept else None
    known = found is not None and not found.why_not
    return page(
        request,
        "lapse.html",
        reader,
        place="/reactivation",
        tabs=tabs_of(reader, "lapse"),
        lapse=found,
        stale=kept.stale if kept else False,
        title=_title(reader, found),
        lead=found.fixed_line(reader.lang) if found and known and not found.fixed.why_not else "",
        bar=_bar(reader, found) if found and known else "",
        states=found.table(reader.lang) if found and known else Table(heads=(), rows=()),
        state_codes=STATES,
        remarks=found.remarks(reader.lang) if found else [],
        picture=_drawn(reader, found) if found and known and found.flow else None,
        flow=found.flow_table(reader.lang) if found else Table(heads=(), rows=()),
        fixed=found.fixed if found and known and not found.fixed.why_not else None,
        fixed_when=_when(reader, found) if found else "",
        fixed_table=_fixed(reader, found) if found else Table(heads=(), rows=()),
    )


def _title(reader: Reader, found: Lapse | None) -> str:
    if found is None:
        return str(reader._("Who is leaving is not worked out yet."))
    if found.why_not or found.fixed.why_not:
        return found.line(reader.lang)
    return found.line(reader.lang).removesuffix(found.fixed_line(reader.lang)).strip()


def _bar(reader: Reader, found: Lapse) -> Markup:
    """All customers as one bar, its parts the states."""
    total = sum(found.states.values()) or 1
    label = "; ".join(
        f"{word(state, reader.lang)}: {reader.percent(found.states[state] / total, 1)}" for state in STATES
    )
    parts, at = [], 0.0
    for state in STATES:
        width = 100 * found.states[state] / total
        parts.append(f'<rect class="state-{state}" x="{at:.3g}%" width="{width:.3g}%" y="10%" height="80%"/>')
        at += width
    return Markup(f'<svg class="iv states" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>')


def _drawn(reader: Reader, found: Lapse) -> Drawn:
    """The flow at the width of the page; its title says what the heading of the page does not."""
    picture = found.picture(reader.lang)
    title = reader._(
        "In the last week {lapsed:int} lapsed and {returned:int} came back",
        lapsed=found.lapsed_last_week,
        returned=found.returned_last_week,
    )
    return Drawn(
        title=str(title),
        subtitle=picture.subtitle,
        source=picture.source,
        wide=Markup(picture.page_svg(width=FULL)),
        narrow=Markup(picture.page_svg(width=NARROW)),
    )


def _when(reader: Reader, found: Lapse) -> str:
    rule = found.fixed
    if rule.on is None:
        return ""
    return str(
        reader._(
            "looked at on {day:date}, {n:int} customers known by then",
            day=rule.on,
            n=rule.customers,
        )
    )


def _fixed(reader: Reader, found: Lapse) -> Table:
    """Who is called lapsed by which rule, and how many of them ordered afterwards."""
    _, rule = reader._, found.fixed
    weeks = rule.follow_days // 7

    def row(title: str, customers: int, ordered: int) -> tuple[str, str, str]:
        share = reader.percent(ordered / customers, 0) if customers else ""
        return title, reader.number(customers), share

    return Table(
        heads=(
            Head(str(_("Called lapsed"))),
            Head(word("customers", reader.lang), "right"),
            Head(str(reader._n("Ordered within {n} week", "Ordered within {n} weeks", weeks)), "right"),
        ),
        rows=(
            row(str(_("by both rules")), rule.both, rule.both_ordered),
            row(
                str(_("only by days: their own rhythm is that slow")), rule.in_rhythm, rule.in_rhythm_ordered
            ),
            row(str(_("only by their own rhythm: days do not see them")), rule.missed, rule.missed_ordered),
        ),
    )


@router.get("/lapse/chart")
def chart(request: Request) -> Response:
    """The specification of the flow, for the local Vega."""
    site, reader = site_of(request), reader_of(request)
    kept = site.workspace.kept_lapse()
    if kept is None or kept.lapse.why_not or not kept.lapse.flow:
        raise NotFound("the flow is not worked out yet")
    return specification(request, kept.lapse.picture(reader.lang))


@router.post("/lapse")
def work_out(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    return done(f"/jobs/{site.workspace.start_job('lapse', now=site.now()).id}")
