"""Health of the base: what may be sent to how many today, who rose, who fell silent, how new customers begin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.attention.report import HealthReport
from primeta.attention.report_words import channel_name
from primeta.show.chart import NARROW
from primeta.show.locale import Language
from primeta.web import attention_rows as rows
from primeta.web.charts import Drawn
from primeta.web.page import Sent, done, page, reader_of, site_of
from primeta.web.reader import Reader
from primeta.workspace.attention_kept import ReplayState, Reports

router = APIRouter()
PLACE = "/attention"
FULL = 1180
"""Width of a chart that takes the whole page."""


def language(reader: Reader) -> Language:
    return "ru" if reader.lang == "ru" else "en"


def kept(request: Request) -> tuple[ReplayState, Reports | None]:
    """How the replay stands and what it tells; one that another version kept is none."""
    site = site_of(request)
    state = site.workspace.replay_state(now=site.now())
    found = site.workspace.attention_reports() if state.kept else None
    return (state if found is not None else replace(state, kept="")), found


@router.get("/attention")
def health(request: Request) -> Response:
    reader = reader_of(request)
    state, found = kept(request)
    known = found is not None and bool(found.health.health and found.health.health.standings)
    lang = language(reader)
    return page(
        request,
        "attention_health.html",
        reader,
        place=PLACE,
        state=state,
        title=found.health.finding(lang) if found else "",
        lead=found.health.today_line(lang) if found else "",
        report=found.health if found else None,
        why_not="" if known or found is None else found.health.finding(lang),
        **(_known(request, reader, found) if known and found is not None else {"known": False}),
    )


def _known(request: Request, reader: Reader, found: Reports) -> dict[str, Any]:
    report, lang = found.health, language(reader)
    health = report.health
    assert health is not None
    channel = _channel(request, found)
    silence, silence_scale = rows.silence_rows(reader, health, channel)
    tenths, tenths_scale = rows.tenth_rows(reader, health, channel)
    bears = next((entry for entry in health.bears if entry.channel == channel), None)
    fell, left = report.silence
    return {
        "known": True,
        "columns": rows.columns(reader, report),
        "states": rows.state_rows(reader, report),
        "channel": channel,
        "channels": [(code, channel_name(code, reader.lang)) for code in health.channels],
        "picture": _drawn(report, lang, channel),
        "moves": rows.move_rows(reader, report, channel),
        "silence": silence,
        "silence_axis": reader.axis(silence_scale, [reader.percent(tick) for tick in silence_scale.ticks]),
        "times": reader.number(round(fell / left)) if left >= 1 and fell >= 2 * left else "",
        "tenths": tenths,
        "tenths_axis": reader.axis(tenths_scale, [reader.percent(tick) for tick in tenths_scale.ticks]),
        "bears": (rows.share_figure(reader, bears.sell), rows.share_figure(reader, bears.press))
        if bears is not None and bears.sell.value == bears.sell.value
        else None,
        "starters": rows.starter_rows(reader, report),
        "model": report.model_line(lang),
        "scores": _scores(reader, found),
    }


def _channel(request: Request, found: Reports) -> str:
    """The one that was asked for; else the one that the finding speaks of."""
    health = found.health.health
    assert health is not None
    wanted = request.query_params.get("channel", "")
    if wanted in health.channels:
        return wanted
    moved = found.health.moved
    return moved[1].channel if moved else health.channels[0]


def _scores(reader: Reader, found: Reports) -> list[tuple[str, str]]:
    scores = found.health.report.scores
    _ = reader._
    named = (("model", _("model")), ("counts", _("counts")), ("beta_binomial", _("past answers")))
    return [
        (str(name), reader.number(scores[code], 4)) for code, name in named if scores[code] == scores[code]
    ]


def _drawn(report: HealthReport, lang: Language, channel: str) -> Drawn:
    picture = report.picture(lang, channel=channel)
    return Drawn(
        title=picture.title,
        subtitle=picture.subtitle,
        source=picture.source,
        wide=Markup(picture.page_svg(width=FULL)),
        narrow=Markup(picture.page_svg(width=NARROW)),
    )


@router.post("/attention")
def work_out(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    return done(f"/jobs/{site.workspace.start_job('attention', now=site.now()).id}")
