"""Trends as a radar: how soon an answer can be had, by type."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from primeta.show.radar import Blip, radar
from primeta.trends.records import TREND_TYPES, Trend
from primeta.web.page import page, reader_of, site_of

router = APIRouter()
WIDE, NARROW = 720, 358


@router.get("/trends/radar")
def trends_radar(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    quick = site.workspace.config.filters.quick_weeks
    bounds = (quick, 26.0 if quick < 26 else 2 * quick, 52.0 if quick < 26 else 4 * quick)
    found = sorted(
        (trend for trend in site.workspace.trends() if trend.evidence.grade != "refuted"),
        key=lambda trend: (TREND_TYPES.index(trend.card.type), weeks_of(trend), trend.card.name),
    )
    blips = [
        Blip(
            number=number,
            sector=TREND_TYPES.index(trend.card.type),
            ring=ring_of(weeks_of(trend), bounds),
            grade=trend.evidence.grade,
            href=f"/trends/{trend.id}",
            label=f"{number}. {trend.card.name}: {reader.word(trend.evidence.grade)}",
        )
        for number, trend in enumerate(found, start=1)
    ]
    later = str(reader._("later"))
    rings = {
        WIDE: [*(str(reader._("to {n:int} wk", n=bound)) for bound in bounds), later],
        NARROW: [*(reader.number(bound, 0) for bound in bounds), later],
    }
    sectors = [reader.word(f"sector.{name}") for name in TREND_TYPES]
    label = str(
        reader._n(
            "Radar of {n} trend; the same is told in the list beside it",
            "Radar of {n} trends; the same is told in the list beside it",
            len(found),
        )
    )
    pictures = {
        name: Markup(radar(blips, sectors=sectors, rings=rings[width], width=width, label=label))
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    }
    numbered = list(zip(range(1, len(found) + 1), found, strict=True))
    return page(
        request,
        "radar.html",
        reader,
        pictures=pictures,
        by_type=[
            (name, [(number, trend) for number, trend in numbered if trend.card.type == name])
            for name in TREND_TYPES
        ],
        quick=quick,
        total=len(found),
        weeks_of=weeks_of,
    )


def weeks_of(trend: Trend) -> float:
    """Weeks to an answer; infinite where there is none or nobody can tell."""
    horizon = trend.weighing.filter("horizon") if trend.weighing else None
    return horizon.value if horizon and math.isfinite(horizon.value) else math.inf


def ring_of(weeks: float, bounds: tuple[float, ...]) -> int:
    return next((index for index, bound in enumerate(bounds) if weeks <= bound), len(bounds))
