"""How often are we wrong here: false alarms and coverage of each metric on the team's own customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from primeta.experiments.certificate import Certificate, Certified, Rung
from primeta.show.interval import scale_of
from primeta.web.page import Sent, done, page, reader_of, site_of
from primeta.web.reader import Reader

router = APIRouter()
WORST = 0.25
"""A share of wrong tests beyond a quarter is cut at the edge of its column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric of the certificate at its largest size."""

    entry: Certified
    label: str
    top: Rung | None
    verdict: str
    missed: tuple[float, float, float]
    """Share of tests whose interval misses the truth, with its band."""


@router.get("/certificate")
def certificate(request: Request) -> Response:
    site, reader = site_of(request), reader_of(request)
    found = site.workspace.last_certificate()
    rows = [_row(found, entry, reader) for entry in found.metrics] if found else []
    promised = 1 - found.level if found else 0.05
    ends = [promised]
    for row in rows:
        if row.top:
            ends += [min(end, WORST) for end in (row.top.fp_high, row.missed[2]) if end == end]
    scale = scale_of(ends)
    return page(
        request,
        "certify.html",
        reader,
        place="/experiments",
        found=found,
        line=found.line(reader.lang) if found else "",
        rows=[row for row in rows if row.top],
        unknown=[row for row in rows if not row.top],
        remarks=found.remarks(reader.lang) if found else [],
        promised=promised,
        scale=scale,
        ticks=[reader.percent(tick) if tick else "0" for tick in scale.ticks],
        made=datetime.fromisoformat(found.at.replace("Z", "+00:00")) if found and found.at else None,
        verdict=lambda low, high: wrong_verdict(low, high, promised),
    )


def _row(found: Certificate, entry: Certified, reader: Reader) -> Row:
    top = entry.top
    nan = float("nan")
    return Row(
        entry=entry,
        label=entry.label(reader.lang),
        top=top,
        verdict=found.verdict(entry, reader.lang),
        missed=(1 - top.coverage, 1 - top.coverage_high, 1 - top.coverage_low) if top else (nan, nan, nan),
    )


def wrong_verdict(low: float, high: float, promised: float) -> str:
    """Vermilion where the whole band lies above what is promised: wrong too often."""
    return "loss" if low > promised else "unsure"


@router.post("/certificate")
def make(request: Request, sent: Sent) -> Response:
    site = site_of(request)
    job = site.workspace.start_job("certify", now=site.now())
    return done(f"/jobs/{job.id}")
